/**
 * A trusted dealer: one process that knows every secret. For tests, and for taking over the keys of a system that was made like this. Nothing that a deployment
 * runs imports it (attack ECASH-19: every reference implementation of the paper ships its dealer); committees make their keys in a ceremony.
 */
import type { RandomBytes } from '../ceremony.ts';
import type { Coconut } from './coconut.ts';
import { g1, g2 } from './generators.ts';
import { Fr, randomScalar } from './groups.ts';
import { keyIdOf, type PublicKey, type SecretKey, type ServiceKey, type VerificationKey } from './keys.ts';

/** What the dealer made: of n services and of the group. */
export interface DealtKeys {
  /** n, service 1 first. SECRET. */
  readonly secretKeys: readonly SecretKey[];
  /** The group's: the secrets at 0, which nobody keeps. */
  readonly verificationKey: VerificationKey;
  /** n, service 1 first. */
  readonly serviceKeys: readonly ServiceKey[];
}

function publicKeyOf({ x, y }: SecretKey): PublicKey {
  return {
    alpha: g2.multiply(x),
    beta: y.map((each) => g1.multiply(each)),
    betaTilde: y.map((each) => g2.multiply(each)),
  };
}

/** Polynomials v, w_1 … w_q of degree t − 1 (Coconut, TTPKeyGen); service i has their values at i. @returns n secret keys and n service keys, indexes 1..n */
export function generateKeys(coconut: Coconut, random: RandomBytes = coconut.random): DealtKeys {
  const polynomial = () => Array.from({ length: coconut.threshold }, () => randomScalar(random));
  const evaluate = (coefficients: readonly bigint[], at: number) =>
    coefficients.reduceRight((sum, coefficient) => Fr.add(Fr.mul(sum, BigInt(at)), coefficient), 0n);
  const v = polynomial();
  const w = Array.from({ length: coconut.attributes }, polynomial);
  const at = (index: number): SecretKey => ({ x: evaluate(v, index), y: w.map((each) => evaluate(each, index)) });

  const secretKeys = Array.from({ length: coconut.total }, (_, i) => at(i + 1));
  const serviceKeys = secretKeys.map((secret, i) => ({ index: i + 1, ...publicKeyOf(secret) }));
  const key = publicKeyOf(at(0));
  return { secretKeys, serviceKeys, verificationKey: { id: keyIdOf(coconut, key, serviceKeys), ...key } };
}
