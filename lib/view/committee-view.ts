/** One operator's view of its committee: can it sign, how far is that from breaking, and what has to be done. Public facts only. */
import * as z from 'zod';
import { coin, hex32, hexUpTo, identity, index, signers } from '../messages/fields.ts';
import { suiteName, threshold } from '../messages/parameters.ts';
import { REFUSAL_REASONS } from '../messages/tokens.ts';
import { ceremonySummary } from './ceremony-view.ts';

const seconds = z.int().min(0);

/**
 * `self`: these rows are its own. `heard`: it spoke in a recent ceremony, or its service told of what was spent. `known`: its messaging key is here, and nothing speaks against it. `silent`:
 * others spoke where it did not ({@link SILENCES}). `faulty`: a stored proof convicts it. `halted`: the own halt switch is pulled. `unknown`: its
 * messaging key never came, so that nothing can be sealed to it.
 */
export const OPERATOR_STATES = ['self', 'heard', 'known', 'silent', 'faulty', 'halted', 'unknown'] as const;

/**
 * Where an operator is silent. `greetings`: it has answered no greeting for 75 minutes. `ceremony`: the latest ceremony that says anything about it, and in which others spoke, waited for it in vain.
 * `gossip`: its service has told of nothing spent while enough others did, for 75 minutes.
 */
export const SILENCES = ['greetings', 'ceremony', 'gossip'] as const;

const operatorView = z.strictObject({
  index,
  identity,
  state: z.enum(OPERATOR_STATES),
  /** Of a silent operator. */
  silentIn: z.enum(SILENCES).optional(),
  /** When this operator was heard last, seconds UTC: in a recent ceremony, by a greeting, or its service by gossip; of one that is silent in one of these, there. Greetings and gossip are written down once in ten minutes. */
  lastHeardAt: seconds.optional(),
});

const keyView = z.strictObject({
  keyId: hex32,
  status: z.enum(['unconfirmed', 'certified', 'hidden']),
  /** 32 bytes; of an asset, its whole verification key. */
  publicKey: hexUpTo(1_024, 32).optional(),
  address: z.string().optional(),
  t: threshold.optional(),
  signers: signers.optional(),
});
export type KeyView = z.infer<typeof keyView>;

/** What a peer asks for and the own client has not authorised. */
export const pendingView = z.strictObject({
  ceremony: hex32,
  kind: z.enum(['keygen', 'signing']),
  coin,
  /** Who asks, ascending. */
  askedBy: z.array(z.strictObject({ index, identity })),
  t: threshold,
  signers,
  keyId: hex32.optional(),
  purpose: z.string().optional(),
  messages: z.array(z.strictObject({ hex: hexUpTo(4_096, 1), text: z.string().optional() })).optional(),
  requestId: z.string(),
  expiresAt: seconds,
  /** Why approving it would be refused, where that can be told beforehand. */
  cannot: z.string().optional(),
});
export type PendingView = z.infer<typeof pendingView>;

const finding = z.strictObject({
  level: z.enum(['alarm', 'warning', 'note']),
  coin: coin.optional(),
  what: z.string(),
  /** What to do about it. */
  todo: z.string(),
});
export type Finding = z.infer<typeof finding>;

const coinView = z.strictObject({
  coin,
  suite: suiteName.optional(),
  t: threshold.optional(),
  /** The operator's own keys are made (`Start`). */
  started: z.boolean(),
  /** The committee file is accepted by this processor. */
  accepted: z.boolean(),
  /** Every signer's messaging key is known here. */
  ready: z.boolean(),
  /** Since when the halt switch is pulled, seconds UTC. */
  haltedSince: seconds.optional(),
  operators: z.array(operatorView),
  keys: z.array(keyView),
  open: z.array(ceremonySummary),
  /** Ended lately, newest first. */
  recent: z.array(ceremonySummary),
  pending: z.array(pendingView),
  health: z.strictObject({
    /** There is a key, and t operators are able, as far as this operator knows. */
    canSign: z.boolean(),
    /** Who is believed able, ascending. */
    able: z.array(index),
    /** How many of them may fall silent until nothing is signed; negative: so many are missing. */
    mayFallSilent: z.int(),
    sentence: z.string(),
  }),
});
export type CoinView = z.infer<typeof coinView>;

/** Amounts are decimal, in the asset's smallest unit. */
const assetView = z.strictObject({
  asset: coin,
  epoch: z.int().min(0).optional(),
  /** Malicious services that the threshold tolerates. */
  f: z.int().min(0).optional(),
  /** What one service lets depositors bring in during the epoch. */
  capPerEpoch: z.string().optional(),
  issued: z.string(),
  redeemed: z.string(),
  /** Issued and not redeemed; negative where this service has missed deposits. */
  outstanding: z.string(),
  /** That were completed. */
  transactions: z.int().min(0),
  /** Those of them of which this service has the certificate alone: their amounts are in no sum. */
  unseen: z.int().min(0),
  /** What this service refused, most first. */
  refused: z.array(z.strictObject({ reason: z.enum(REFUSAL_REASONS), count: z.int().min(1) })),
  service: coinView,
});
export type AssetView = z.infer<typeof assetView>;

export const committeeView = z.strictObject({
  v: z.literal(1),
  /** Seconds UTC by the place's clock. */
  readAt: seconds,
  operator: z.strictObject({ identity, index: index.optional() }),
  committee: z
    .strictObject({
      id: hex32,
      network: z.string(),
      leaderPeriod: z.int(),
      operators: z.array(z.strictObject({ index, identity, account: z.string(), region: z.string() })),
    })
    .optional(),
  coins: z.array(coinView),
  /** Of an operator that has signing services. */
  assets: z.array(assetView).optional(),
  /** Messages that were set aside, where the place can tell. */
  deadLetters: z.array(z.strictObject({ segment: z.string(), queue: z.string(), count: z.int().min(0) })).optional(),
  findings: z.array(finding),
});
export type CommitteeView = z.infer<typeof committeeView>;
