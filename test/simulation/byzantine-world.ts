/** One Byzantine behaviour in a committee in which nothing else goes wrong: a key generation, then a signature. */
import { verifyEvidence } from '../../lib/evidence/verify.ts';
import type { Coin } from '../../lib/local/committee.ts';
import type { Evidence } from '../../lib/messages/evidence.ts';
import type { Hex } from '../../lib/messages/hex.ts';
import { ceremonyId, type FrostKeygenParameters, type SigningParameters } from '../../lib/messages/parameters.ts';
import { evidenceIn } from '../../lib/node/evidence-row.ts';
import type { CeremonyState } from '../../lib/node/load.ts';
import { leaderOf } from '../../lib/signing/step.ts';
import type { Behaviour, Moment } from './adversary.ts';
import type { Profile } from './swarm.ts';
import { SimulatedWorld } from './world.ts';

/** Nothing breaks by itself. */
export const CALM: Profile = {
  concurrency: 1,
  faultsFromTheStart: false,
  messages: { duplicate: 0, duplicateLagSeconds: 0, delay: 0, maxDelaySeconds: 0, refuse: 0 },
  calls: {
    crashBefore: 0,
    crashAfter: 0,
    throttle: 0,
    conflict: 0,
    unknownNotApplied: 0,
    appliedButError: 0,
    kmsDenied: 0,
    leaseExpiry: 0,
    clockJump: 0,
  },
  batches: { partialFailure: 0, nextVersion: 0, onCopy: 0 },
  lossy: new Map(),
  skewMs: [],
  ttlLagSeconds: 0,
  dueLagSeconds: 0,
  maxReceiveCount: 1_000,
  actions: [],
  breakSeconds: 0,
  realSealing: false,
  scan: false,
  replay: false,
  afterlifeDays: 0,
  harmless: false,
};

export interface Cast {
  /** Absent: nobody is Byzantine. */
  readonly behaviour?: Behaviour;
  readonly operators?: number;
  readonly threshold?: number;
  readonly byzantine?: readonly number[];
  readonly seed?: number;
  readonly coin?: Coin;
  /** The Byzantine operators' first is leader 0 of the signing. */
  readonly leads?: boolean;
  /** The honest operators' clients ask a minute after the liars'. */
  readonly asksLate?: boolean;
  /** What breaks by itself, beside the liars. */
  readonly profile?: Partial<Profile>;
  /** Told of what happens, for a failure that has to be understood. */
  readonly trace?: (line: string) => void;
}

export interface Played {
  readonly world: SimulatedWorld;
  readonly honest: readonly number[];
  readonly keygen: (operator: number) => Extract<CeremonyState, { kind: 'keygen' }> | undefined;
  readonly signing: (operator: number) => Extract<CeremonyState, { kind: 'signing' }> | undefined;
  /** Every proof that an honest operator stored. */
  readonly evidence: readonly { readonly holder: number; readonly evidence: Evidence }[];
  /** Whom the holder's proofs convict, each proof judged from the committee file alone. */
  readonly named: (holder: number) => readonly number[];
}

const KEYGEN_SECONDS = 900;
const SIGNING_SECONDS = 700;

/** @param phases what happens: the key alone, or a signature with it too */
export async function played(cast: Cast, phases: 'keygen' | 'both' = 'both'): Promise<Played> {
  const {
    behaviour,
    operators = 3,
    threshold = 2,
    byzantine = behaviour ? [2] : [],
    seed = 1,
    coin = 'sol',
    leads,
    trace,
  } = cast;
  const world = new SimulatedWorld({
    seed,
    operators,
    threshold,
    coin,
    casting: behaviour ? { operators: byzantine, behaviour } : undefined,
    profile: { ...CALM, ...cast.profile },
    ...(trace ? { trace } : {}),
  });
  const honest = world.honest;
  const moment = async (each: Moment): Promise<void> => world.puppeteer?.moment(each);
  const states = (operator: number, kind: CeremonyState['kind']) =>
    world.auditor.states(operator).filter((state) => state.kind === kind);
  const isOver = (kind: CeremonyState['kind']): boolean =>
    honest.every((operator) =>
      states(operator, kind).some(({ stage }) => ['Succeeded', 'Failed', 'Unresolved'].includes(stage)),
    );
  const until = async (kind: CeremonyState['kind'], seconds: number): Promise<void> => {
    const end = world.cloud.now + seconds * 1_000;
    while (world.cloud.now < end) {
      await world.cloud.run({ until: Math.min(world.cloud.now + 60_000, end) });
      await moment('tick');
      if (isOver(kind)) break;
    }
    await world.cloud.run({ until: world.cloud.now + 30_000 });
  };

  await world.assemble();
  if (cast.profile) world.startFaults();
  await moment('assembled');
  await until('keygen', KEYGEN_SECONDS);
  if (!isOver('keygen')) {
    const expiresAt = 1_000 * (world.committee.committee.file.coins[coin]?.genesis?.expiresAt ?? 0);
    for (const offset of [-1_500, 1_500]) {
      await world.cloud.run({ until: expiresAt + offset });
      await moment('tick');
    }
    await until('keygen', KEYGEN_SECONDS);
  }

  const made = honest.flatMap((operator) => {
    const state = states(operator, 'keygen')[0];
    return state?.kind === 'keygen' && state.stage === 'Succeeded' ? [state] : [];
  })[0];
  if (phases === 'both' && made) {
    const { committee, suite, t, signers } = made.parameters as FrostKeygenParameters;
    const instruction = (nonce: number) => ({
      keyId: made.keyId,
      messages: ['0x6869', '0x00'] as Hex[],
      purpose: 'test',
      requestId: `0x${nonce.toString(16).padStart(32, '0')}` as Hex,
      expiresAt: world.committee.now() + 600,
    });
    let nonce = 1;
    for (; leads !== undefined; nonce++) {
      const parameters: SigningParameters = {
        kind: 'signing',
        committee,
        coin,
        suite,
        t,
        signers,
        ...instruction(nonce),
      };
      const leader = leaderOf(parameters, ceremonyId(parameters), 0);
      if ((leader === byzantine[0]) === leads) break;
    }
    const sign = instruction(nonce);
    for (const operator of honest) world.auditor.authority.authorised(operator, sign.keyId, sign.messages);
    await world.committee.instruct(coin, { Sign: sign }, byzantine);
    if (cast.asksLate) {
      await world.cloud.run({ until: world.cloud.now + 60_000 });
      await moment('tick');
      await world.cloud.run({ until: world.cloud.now + 60_000 });
    }
    await world.committee.instruct(coin, { Sign: sign }, honest);
    await moment('signing');
    await until('signing', SIGNING_SECONDS);
  }
  await world.cloud.run({ until: world.cloud.now + 120_000 });

  const committee = world.committee.committee;
  const evidence = honest.flatMap((holder) =>
    world.cloud.inspect
      .items(world.namespace(holder), 'Ceremonies')
      .filter(({ sk }) => sk.startsWith('EVIDENCE#'))
      .map((item) => ({ holder, evidence: evidenceIn(item['evidence']) as Evidence })),
  );
  return {
    world,
    honest,
    keygen: (operator) => states(operator, 'keygen')[0] as ReturnType<Played['keygen']>,
    signing: (operator) => states(operator, 'signing')[0] as ReturnType<Played['signing']>,
    evidence,
    named: (holder) =>
      evidence
        .filter((each) => each.holder === holder)
        .map((each) => {
          const judged = verifyEvidence(committee, each.evidence);
          if (!judged.guilty) throw new Error(`operator ${holder} stores evidence that proves nothing: ${judged.why}`);
          return judged.culprit;
        }),
  };
}

/** What must hold whatever the liars do: the invariants, and nobody honest named, proven or told. */
export function unharmed({ world, honest, evidence, named }: Played): string[] {
  const wrong = world.violations.map(({ invariant, what }) => `invariant ${invariant}: ${what}`);
  for (const operator of honest) {
    for (const culprit of named(operator))
      if (honest.includes(culprit)) wrong.push(`operator ${operator} names ${culprit}, who is honest`);
    for (const state of world.auditor.states(operator)) {
      const culprits = 'culprits' in state ? state.culprits : [];
      for (const { index, reason } of culprits) {
        if (honest.includes(index)) wrong.push(`operator ${operator} blames ${index}, who is honest, for ${reason}`);
        if (!evidence.some((each) => each.holder === operator && each.evidence.statements[0]?.from === index))
          wrong.push(`operator ${operator} blames ${index} without a stored proof`);
      }
    }
  }
  return wrong;
}
