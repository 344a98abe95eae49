/** One operator dies at one port call of a key generation or a signing, and runs again when its message comes back. */

import { identityOf } from '../../lib/local/committee.ts';
import { Crash } from '../../lib/local/gate.ts';
import { NodeWorld } from './world.ts';

export type Phase = 'keygen' | 'signing';
const VICTIM = 1;

export interface CrashRun {
  readonly world: NodeWorld;
  /** Port calls of the victim in this phase, up to its end. */
  readonly calls: number;
  readonly crashed: boolean;
}

/** @param at the call, from 0; Infinity: none @param when whether the call is done before the victim dies */
export async function crashAt(phase: Phase, at: number, when: 'before' | 'after'): Promise<CrashRun> {
  const world = new NodeWorld({ seed: 11 });
  await world.committee.assemble();
  if (phase === 'signing') await world.run();
  let calls = 0;
  let crashed = false;
  const stop = world.cloud.intercept(({ namespace, when: moment, port, operation }) => {
    if (!namespace.startsWith(`${identityOf(VICTIM)}/`)) return;
    if (moment === 'before') calls++;
    if (crashed || moment !== when || calls - 1 !== at) return;
    crashed = true;
    throw new Crash(`${when} ${port}.${operation}`);
  });
  if (phase === 'signing') await world.instruct(world.sign());
  await world.run();
  stop();
  return { world, calls, crashed };
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
