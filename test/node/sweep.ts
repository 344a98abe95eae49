/** One operator dies at some port calls of a key generation or a signing, and runs again when its message comes back. */

import type { CloudImage } from '../../lib/local/cloud.ts';
import { identityOf } from '../../lib/local/committee.ts';
import { Crash } from '../../lib/local/gate.ts';
import type { Committee } from '../../lib/messages/committee.ts';
import type { Sealer } from '../../lib/messages/sealing.ts';
import { NodeWorld } from './world.ts';

export type Phase = 'keygen' | 'signing';
export type When = 'before' | 'after';
const VICTIM = 1;
/** Each death costs a visibility timeout of six minutes, and two of them must not cost the ceremony its life. */
const LIFE_SECONDS = 7_200;

/**
 * The victim's call, and whether it is done before the victim dies. Counted from 0 in its phase: beginnings for `before`, ends for `after`, since calls that run in parallel end in
 * another order than they began in.
 */
export interface Death {
  readonly at: number;
  readonly when: When;
}

export interface CrashRun {
  readonly world: NodeWorld;
  /** Port calls of the victim's role in this phase, up to its end. */
  readonly calls: number;
  /** How often it died. */
  readonly deaths: number;
}

/** What lies before the first call of a phase, so that a sweep makes it once. Sealed with the sealer that it was made with. */
export interface Beginning {
  readonly image: CloudImage;
  readonly committee: Committee;
  readonly sealer: Sealer;
}

/** @param sealer one that waits for nothing */
export async function beginningOf(phase: Phase, sealer: Sealer): Promise<Beginning> {
  const cloud = { background: false };
  const { committee } = new NodeWorld({ seed: 11, genesisLife: LIFE_SECONDS, cloud, instruments: { sealer } });
  const agreed = await committee.agree();
  if (phase === 'signing') {
    await committee.accept();
    await committee.cloud.run();
  }
  return { image: committee.cloud.image(), committee: agreed, sealer };
}

async function begun(phase: Phase, beginning: Beginning | undefined): Promise<NodeWorld> {
  if (!beginning) {
    const world = new NodeWorld({ seed: 11, genesisLife: LIFE_SECONDS });
    await world.committee.assemble();
    if (phase === 'signing') await world.run();
    return world;
  }
  const { image, committee, sealer } = beginning;
  // Of another seed than the beginning: nothing random in it comes again.
  const world = new NodeWorld({ seed: 12, cloud: { background: false, image }, instruments: { sealer } });
  world.committee.adopt(committee);
  if (phase === 'keygen') await world.committee.accept();
  return world;
}

/** Who of the victim dies: its coordinator alone, its processor alone, or whichever does the call. */
export type Role = 'coordinator' | 'processor' | 'any';

/** @param deaths in the order of their calls, those of the role @param beginning default: all of it anew, with HPKE */
export async function crashesAt(
  phase: Phase,
  deaths: readonly Death[],
  beginning?: Beginning,
  role: Role = 'any',
): Promise<CrashRun> {
  const world = await begun(phase, beginning);
  const calls = { before: 0, after: 0 };
  let died = 0;
  const stop = world.cloud.intercept(({ namespace, when: moment, port, operation }) => {
    const [identity, name] = namespace.split('/');
    const dies = role === 'any' || (name === 'coordinator') === (role === 'coordinator');
    if (identity !== identityOf(VICTIM) || !dies) return;
    const at = calls[moment]++;
    const next = deaths[died];
    if (!next || moment !== next.when || at !== next.at) return;
    died++;
    throw new Crash(`${moment} ${port}.${operation}`);
  });
  if (phase === 'signing') await world.instruct(world.sign({ expiresAt: world.committee.now() + LIFE_SECONDS }));
  await world.run();
  stop();
  return { world, calls: calls.before, deaths: died };
}

/** @param at the call, from 0; Infinity: none */
export async function crashAt(phase: Phase, at: number, when: When): Promise<CrashRun & { readonly crashed: boolean }> {
  const run = await crashesAt(phase, [{ at, when }]);
  return { ...run, crashed: run.deaths > 0 };
}

/** What must be true however the victim died. @returns what is wrong, or nothing */
export function broken(world: NodeWorld, phase: Phase): string | undefined {
  const keyIds = new Set<string>();
  for (const operator of world.operators) {
    const made = world.keygen(operator);
    if (made?.stage !== 'Succeeded') return `operator ${operator} ended key generation as ${made?.stage ?? 'nothing'}`;
    keyIds.add(made.keyId);
    const signed = world.signing(operator);
    if (phase === 'signing' && signed?.stage !== 'Succeeded')
      return `operator ${operator} ended signing as ${signed?.stage ?? 'nothing'}`;
    const evidence = world.items(operator, 'Ceremonies').filter(({ sk }) => sk.startsWith('EVIDENCE#'));
    if (evidence.length > 0) return `operator ${operator} holds evidence against an honest one`;
    const outcomes = world.outcomes.filter(
      (each) => each.operator === operator && (phase === 'keygen' ? 'KeygenOutcome' : 'SigningOutcome') in each.event,
    );
    if (outcomes.length === 0) return `operator ${operator}'s client heard nothing`;
    const secrets = world.items(operator, 'Nonces').filter(({ sk }) => !sk.startsWith('SAID#'));
    if (secrets.length > 0) return `operator ${operator} keeps ${secrets.map(({ sk }) => sk).join(', ')}`;
  }
  if (keyIds.size !== 1) return `the operators have ${keyIds.size} keys`;
  const waiting = [...world.cloud.inspect.queues()].find(([, { visible, inFlight }]) => visible + inFlight > 0);
  return waiting && `${waiting[0]} is not empty`;
}
