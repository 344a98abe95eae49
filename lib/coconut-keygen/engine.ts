/** Which engine checks what is public: noble until the faster one has been started. Both give the same answers; only the time differs. */
import { nobleVerifier } from '../coconut/noble-engine.ts';
import type { Verifier } from '../coconut/verifier.ts';

let engine: Verifier = nobleVerifier;

/** Starts mcl, once in a process. Imported here only, so that a processor of a coin never loads 1.3 MB that it has no use for. */
export async function startEngine(): Promise<void> {
  if (engine !== nobleVerifier) return;
  const { mclVerifier } = await import('../coconut/mcl-engine.ts');
  engine = await mclVerifier();
}

/** mcl once {@link startEngine} is done, noble before. */
export function publicEngine(): Verifier {
  return engine;
}
