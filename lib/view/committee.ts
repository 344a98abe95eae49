/** From an operator's rows to one answer: can the committee sign, how far is it from breaking, what has to be done. Pure. */

import { verifyEvidence } from '../evidence/verify.ts';
import { schemeOf } from '../keygen/scheme.ts';
import type { Committee } from '../messages/committee.ts';
import type { Hex } from '../messages/hex.ts';
import type { Policy } from '../messages/policies.ts';
import { REFUSAL_REASONS } from '../messages/tokens.ts';
import { LATELY_SECONDS } from '../node/lifetimes.ts';
import { policyHash } from '../signing/policy.ts';
import { silentBeside } from '../signing-service/gossip.ts';
import { type Beholder, identityIn, namesOf, summaryOf, unresponsiveOf } from './ceremony.ts';
import { authorisedOf, type CoinRows, type KeyRow } from './committee-rows.ts';
import {
  type AssetView,
  type CoinView,
  type CommitteeView,
  type Finding,
  type KeyView,
  SILENCES,
} from './committee-view.ts';
import { pendingOf } from './pending.ts';
import type { AssetRows } from './tokens-rows.ts';

/** Ended ceremonies that are shown. */
const RECENT = 10;

export interface CommitteeRows {
  readonly identity: string;
  readonly coins: readonly CoinRows[];
  readonly assets?: readonly AssetRows[];
  /** Seconds UTC. */
  readonly now: number;
  /** What the operator file says, where there is one. */
  readonly configured?: { readonly policies: readonly Policy[]; readonly committeeHash: Hex | undefined };
  readonly deadLetters?: NonNullable<CommitteeView['deadLetters']>;
}

export function viewCommittee(rows: CommitteeRows): CommitteeView {
  const { identity, now, configured, deadLetters, assets = [] } = rows;
  const services = assets.map(({ service }) => service);
  const committee = [...rows.coins, ...services].find((each) => each.committee)?.committee;
  const index = committee?.operatorByIdentity(identity)?.index;
  const coins = rows.coins.map((each) => viewCoin(each, identity, now));
  const views = assets.map((each) => viewAsset(each, identity, now));
  const letters = (deadLetters ?? []).filter(({ count }) => count > 0);
  const findings: Finding[] = [
    ...coins.flatMap((coin, i) => findingsOf(coin, rows.coins[i], committee, configured)),
    ...views.flatMap(({ service }, i) => findingsOf(service, services[i], committee, undefined)),
    ...letters.map(
      ({ segment, count }): Finding => ({
        level: 'warning',
        what: `${count} message${count === 1 ? '' : 's'} of ${segment} failed ten times and ${count === 1 ? 'was' : 'were'} set aside`,
        todo: 'Look at them with coterie dead-letters list; when the cause is mended, coterie dead-letters redrive.',
      }),
    ),
  ];
  if (committee && configured && configured.committeeHash !== committee.id) {
    findings.unshift({
      level: 'alarm',
      what: `the accepted committee is ${committee.id}, the operator file names ${configured.committeeHash ?? 'none'}`,
      todo: 'Find out which of the two was agreed on by voice; nothing but the accepted one has any effect.',
    });
  }
  return {
    v: 1,
    readAt: now,
    operator: { identity, ...(index === undefined ? {} : { index }) },
    ...(committee
      ? {
          committee: {
            id: committee.id,
            network: committee.file.network,
            leaderPeriod: committee.file.leaderPeriod,
            operators: committee.file.operators.map(({ index: of, identity: name, account, region }) => ({
              index: of,
              identity: name,
              account,
              region,
            })),
          },
        }
      : {}),
    coins,
    ...(views.length > 0 ? { assets: views } : {}),
    ...(deadLetters ? { deadLetters: [...deadLetters] } : {}),
    findings,
  };
}

/** @param told of an asset: {@link AssetRows.told} */
function viewCoin(rows: CoinRows, identity: string, now: number, told: AssetRows['told'] = new Map()): CoinView {
  const { coin, committee, states } = rows;
  const pinned = committee?.keyOf(coin);
  const self = committee?.operatorByIdentity(identity)?.index;
  const beholder: Beholder | undefined = committee && self !== undefined ? { committee, self, now } : undefined;
  const operators = beholder ? operatorsOf(rows, beholder, told) : [];
  const certificates = new Map(
    rows.keys.map(({ keyId, status, certificate }) => [keyId, status === 'certified' ? certificate : undefined]),
  );
  const summaries = beholder ? states.map((each) => summaryOf(each, beholder)) : [];
  return {
    coin,
    ...(pinned ? { suite: pinned.suite, t: pinned.t } : {}),
    started: rows.started,
    accepted: committee !== undefined,
    ready: rows.ready,
    ...(rows.haltedSince === undefined ? {} : { haltedSince: rows.haltedSince }),
    operators,
    keys: rows.keys.map(keyViewOf),
    open: summaries.filter(({ open }) => open),
    recent: summaries.filter(({ open }) => !open).slice(0, RECENT),
    pending: beholder ? pendingOf(rows.strays, authorisedOf(states), (keyId) => certificates.get(keyId), beholder) : [],
    health: healthOf(rows, operators, pinned?.t),
  };
}

/** What a service knows of its asset. A reason that no refusal has any more is left out. */
function viewAsset({ service, terms, supply, told, refused }: AssetRows, identity: string, now: number): AssetView {
  const { issued, redeemed, transactions, unseen } = supply;
  return {
    asset: service.coin,
    ...(terms ? { epoch: terms.epoch, f: terms.f, capPerEpoch: terms.depositors.capPerEpoch } : {}),
    issued: `${issued}`,
    redeemed: `${redeemed}`,
    outstanding: `${issued - redeemed}`,
    transactions,
    unseen,
    refused: REFUSAL_REASONS.flatMap((reason) => {
      const count = refused.get(reason) ?? 0;
      return count > 0 ? [{ reason, count }] : [];
    }).sort((a, b) => b.count - a.count),
    service: viewCoin(service, identity, now, told),
  };
}

function keyViewOf({ keyId, status, certificate }: KeyRow): KeyView {
  if (!certificate) return { keyId, status };
  const { suite, t, signers } = certificate.parameters;
  return { keyId, status, ...schemeOf(suite).announced(certificate), t, signers: [...signers] };
}

// ------------------------------------------------------------------------------------------------ who is able

type OperatorView = CoinView['operators'][number];

function operatorsOf(rows: CoinRows, { committee, self, now }: Beholder, told: AssetRows['told']): OperatorView[] {
  const { coin, peers, heard, states, haltedSince, evidence, greeted } = rows;
  // Milliseconds.
  const lastSpoke = new Map<number, number>([...told].map(([index, { at }]) => [index, at * 1_000]));
  for (const { from, at } of [...heard.values()].flat())
    if (at !== undefined) lastSpoke.set(from, Math.max(at, lastSpoke.get(from) ?? 0));
  const signers = committee.signersOf(coin);
  const others = signers.filter((index) => index !== self);
  const untold = silentBeside(told, others, committee.keyOf(coin)?.t ?? others.length, LATELY_SECONDS);
  const proven = evidence.flatMap((each) => {
    const judged = verifyEvidence(committee, each);
    return judged.guilty ? [judged.culprit] : [];
  });
  const faulty = new Set(proven);
  return signers.map((index): OperatorView => {
    const spoke = lastSpoke.get(index);
    const greeting = greeted.get(index);
    // Where nobody else spoke, nobody else may have been asked: that says nothing about anybody.
    const missedAt = states.find(
      ({ state }) =>
        unresponsiveOf(state).includes(index) && heard.get(state.ceremony)?.some(({ from }) => from !== self),
    )?.at;
    // Who speaks in ceremonies is there, whatever became of the greetings.
    const silentIn =
      greeting?.missed !== undefined && (spoke ?? 0) <= (now - LATELY_SECONDS) * 1_000
        ? 'greetings'
        : missedAt !== undefined && (spoke ?? 0) < missedAt
          ? 'ceremony'
          : untold.includes(index)
            ? 'gossip'
            : undefined;
    // What another function of its says must not stand beside the silence of this one.
    const greetedAt = silentIn === 'ceremony' || silentIn === 'gossip' ? 0 : (greeting?.at ?? 0) * 1_000;
    const at = Math.max(spoke ?? 0, greetedAt);
    const state =
      index === self
        ? haltedSince === undefined
          ? 'self'
          : 'halted'
        : faulty.has(index)
          ? 'faulty'
          : !peers.includes(index)
            ? 'unknown'
            : silentIn !== undefined
              ? 'silent'
              : spoke === undefined
                ? 'known'
                : 'heard';
    const name = identityIn(committee, index);
    return {
      index,
      identity: name,
      state,
      ...(state === 'silent' && silentIn ? { silentIn } : {}),
      ...(at === 0 ? {} : { lastHeardAt: Math.floor(at / 1_000) }),
    };
  });
}

const ABLE: ReadonlySet<OperatorView['state']> = new Set(['self', 'heard', 'known']);

function healthOf(rows: CoinRows, operators: readonly OperatorView[], t: number | undefined): CoinView['health'] {
  const able = operators.filter(({ state }) => ABLE.has(state)).map(({ index }) => index);
  const none = (sentence: string, mayFallSilent = t === undefined ? 0 : able.length - t) => ({
    canSign: false,
    able,
    mayFallSilent,
    sentence,
  });
  const { coin, committee } = rows;
  const can = committee?.file.assets[coin] ? 'issue' : 'sign';
  if (!rows.started) return none(`${coin}: this operator has no keys of its own yet: run coterie start.`);
  if (!rows.committee || t === undefined)
    return none(`${coin}: no committee is accepted here: run coterie committee accept after the second deploy.`);
  const n = operators.length;
  const spare = able.length - t;
  const count = `${able.length} of ${n} operators are able as far as this one knows, and ${t} are needed`;
  if (spare < 0) return none(`${coin}: cannot ${can}: ${count}; ${-spare} more must come back.`);
  const certified = rows.keys.filter(({ status }) => status === 'certified');
  if (certified.length === 0)
    return none(`${coin}: there is no key yet: ${count}; coterie keygen --coin ${coin} makes one.`);
  // Only who made a key signs with it: that of the best key counts.
  const best = Math.max(
    ...certified.map(({ certificate }) => {
      const signers = certificate?.parameters.signers ?? able;
      return able.filter((index) => signers.includes(index)).length - t;
    }),
  );
  if (best < 0)
    return none(`${coin}: cannot ${can}: ${count}; ${-best} more of those who made a key must come back.`, best);
  const silence = best === 0 ? 'none of them may fall silent' : `${best} more may fall silent`;
  return { canSign: true, able, mayFallSilent: best, sentence: `${coin}: can ${can}: ${count}; ${silence}.` };
}

// ------------------------------------------------------------------------------------------------ findings

/** After the names of who is silent. */
const SILENT: Readonly<
  Record<NonNullable<OperatorView['silentIn']>, { readonly what: string; readonly todo: string }>
> = {
  greetings: {
    what: `did not answer any greeting for ${LATELY_SECONDS / 60} minutes`,
    todo: 'Ask whether the coordinator runs there, and whether its inbox names this account; silence proves nothing against anybody.',
  },
  ceremony: {
    what: 'did not answer the last time it was waited for',
    todo: 'Ask whether the functions run there; silence proves nothing against anybody.',
  },
  gossip: {
    what: `told of nothing that was spent for ${LATELY_SECONDS / 60} minutes, while other services did`,
    todo: 'Ask whether the functions of the service run there, and whether gateways reach it; silence proves nothing against anybody.',
  },
};

function findingsOf(
  view: CoinView,
  rows: CoinRows | undefined,
  committee: Committee | undefined,
  configured: CommitteeRows['configured'],
): Finding[] {
  const { coin, operators, health, pending, open } = view;
  const found: Finding[] = [];
  const add = (level: Finding['level'], what: string, todo: string) => found.push({ level, coin, what, todo });
  const of = (state: OperatorView['state']) =>
    operators.filter((each) => each.state === state).map(({ index }) => index);
  if (!committee || !rows) {
    add('warning', health.sentence, 'Follow README, “On AWS”: start, card, committee, second deploy, accept.');
    return found;
  }
  if (health.mayFallSilent < 0)
    add('alarm', health.sentence, 'Ask the operators that are not able; coterie doctor looks at this one.');
  else if (health.canSign && health.mayFallSilent === 0)
    add('warning', health.sentence, 'The next silence stops it: bring back whoever is missing now.');
  if (view.haltedSince !== undefined)
    add(
      'alarm',
      `the halt switch of this operator has been pulled since ${new Date(view.haltedSince * 1_000).toISOString()}: no share leaves here`,
      'When the reason is gone: coterie release.',
    );
  if (of('faulty').length > 0)
    add(
      'alarm',
      `${namesOf(committee, of('faulty'))} cheated, and the proof is kept`,
      'coterie ceremony list, then coterie ceremony show <id>: the sentence there says who did what.',
    );
  for (const silence of SILENCES) {
    const silent = operators.flatMap(({ silentIn, index }) => (silentIn === silence ? [index] : []));
    if (silent.length > 0)
      add('warning', `${namesOf(committee, silent)} ${SILENT[silence].what}`, SILENT[silence].todo);
  }
  if (of('unknown').length > 0)
    add(
      'warning',
      `the messaging key of ${namesOf(committee, of('unknown'))} never came`,
      'That operator has not accepted the committee yet, or its inbox stack is missing.',
    );
  if (configured && rows.policy !== undefined && rows.policy !== policyHash(configured.policies))
    add(
      'alarm',
      'the policy in the operator file is not the one in force: every release is held once it is deployed',
      'Run coterie start after the deploy (docs/runbook.md, “After a change of policy”).',
    );
  for (const { ceremony, sentence } of rows.states.flatMap(({ state }) =>
    state.stage === 'Unresolved' ? view.recent.filter((each) => each.ceremony === state.ceremony) : [],
  ))
    add('warning', sentence, `coterie ceremony show ${ceremony} says what to wait for.`);
  for (const { ceremony, sentence } of open.filter((each) => each.sentence.endsWith('past its expiry')))
    add('warning', sentence, `coterie ceremony show ${ceremony}; coterie clean-up looks at it again.`);
  if (pending.length > 0)
    add(
      'note',
      `peers ask for ${pending.length} ceremon${pending.length === 1 ? 'y' : 'ies'} that nobody has authorised here`,
      'coterie pending lists them; coterie approve <id> joins one.',
    );
  return found;
}
