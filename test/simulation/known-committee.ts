/**
 * A committee whose operators know each other, made once for each process: most runs begin with it. How operators come to know each other is a third of a run, and the
 * same few messages each time; every eighth run begins with it, faults and all.
 */
import type { CloudImage } from '../../lib/local/cloud.ts';
import { type Coin, LocalCommittee } from '../../lib/local/committee.ts';
import type { Committee } from '../../lib/messages/committee.ts';
import { Keyring } from './keyring.ts';
import { seedBytes } from './seed.ts';
import { standInSealer } from './stand-in-sealer.ts';

export interface KnownCommittee {
  readonly image: CloudImage;
  readonly committee: Committee;
  /** Opens the operators' own secrets. */
  readonly keyring: Keyring;
}

const ASSEMBLE_EVERY = 8;
/** No run has it. */
const SEED = 2 ** 31 - 1;
const known = new Map<string, Promise<KnownCommittee>>();

export function beginsKnown(seed: number): boolean {
  return seed % ASSEMBLE_EVERY !== 0;
}

/** With messaging keys for the stand-in for HPKE, whatever its secret. */
export function knownCommittee(operators: number, threshold: number, coin: Coin): Promise<KnownCommittee> {
  const name = `${threshold} of ${operators} ${coin}`;
  const made = known.get(name) ?? make(operators, threshold, coin);
  known.set(name, made);
  return made;
}

async function make(operators: number, threshold: number, coin: Coin): Promise<KnownCommittee> {
  const seed = seedBytes(SEED);
  const keyring = new Keyring();
  const committee = new LocalCommittee({
    operators,
    threshold,
    coins: [coin],
    genesis: false,
    cloud: { seed, clock: 'virtual', background: false },
    instruments: {
      ports: (ports) => ({ ...ports, wrapper: keyring.watch(ports.wrapper) }),
      sealer: standInSealer(seed),
    },
  });
  const agreed = await committee.assemble();
  await committee.cloud.run();
  return { image: committee.cloud.image(), committee: agreed, keyring };
}
