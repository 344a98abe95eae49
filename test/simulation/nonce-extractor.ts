/**
 * Tries to do what a thief would: to solve for the key from every signature share that was ever stored or sent.
 *
 * A share is one linear equation modulo the group order (RFC 9591 §5.2, with BIP 340's signs):
 *
 *     z = ±(d + ρ·e) ± λ·c·s,   s = Σ a_k · i^k,
 *
 * in two unknowns for each nonce pair and t for the key's polynomial. Each nonce pair that is used once brings two unknowns with its one equation, so that nothing
 * follows. Used for three packages, a pair gives its signer's s; t signers' give a_0. The equations of all signers are solved together, because partial reuse
 * at several signers adds up as well. ρ, λ and c are computed here from the standards' text, not by the functions under test.
 */
import { verificationPoint } from '../../lib/frost/dkg.ts';
import { compress, decompress } from '../../lib/frost/points.ts';
import { invert, modulo } from '../../lib/frost/public-msm.ts';
import { identifierBytes, type Suite, type SuiteName, suiteOf } from '../../lib/frost/suite.ts';
import { concat } from '../../lib/messages/bytes.ts';
import type { FrostCertificate } from '../../lib/messages/certificate.ts';
import { fromHex, type Hex } from '../../lib/messages/hex.ts';

export interface SharedNonce {
  readonly index: number;
  readonly hiding: Hex;
  readonly binding: Hex;
}

/** One share for one message, with the package that it answers. */
export interface EmittedShare {
  readonly signer: number;
  readonly message: Hex;
  /** Ascending by index. */
  readonly commitments: readonly SharedNonce[];
  readonly share: Hex;
}

/** Coefficients by the name of their unknown. */
export interface Equation {
  readonly terms: ReadonlyMap<string, bigint>;
  readonly value: bigint;
}

export class NonceExtractor {
  readonly #certificate: FrostCertificate;
  readonly #suite: Suite;
  readonly #equations = new Map<string, Equation>();

  constructor(certificate: FrostCertificate) {
    this.#certificate = certificate;
    this.#suite = suiteOf(certificate.parameters.suite as SuiteName);
  }

  get equations(): number {
    return this.#equations.size;
  }

  /** The same share for the same package counts once. */
  add(emitted: EmittedShare): void {
    const name = JSON.stringify(emitted);
    if (this.#equations.has(name)) return;
    const equation = equationOf(this.#suite, this.#certificate, emitted);
    if (equation) this.#equations.set(name, equation);
  }

  /** What a corrupt operator knows of its own: a point of the polynomial. */
  know(index: number, share: bigint): void {
    this.#equations.set(`share of ${index}`, {
      terms: polynomialAt(this.#suite, this.#certificate, index, 1n),
      value: share,
    });
  }

  /** @returns the group's secret key, if the shares give it away */
  solve(): bigint | undefined {
    const solved = solveFor('a0', [...this.#equations.values()], this.#suite.Fn.ORDER);
    if (solved === undefined || solved === 0n) return undefined;
    const { internalKey, outputKey } = this.#certificate;
    const key = verificationPoint(this.#suite, { internalKey: fromHex(internalKey), outputKey: fromHex(outputKey) });
    const point = this.#suite.multiplyBasePublic(solved);
    // A Byzantine signer's made-up shares contradict the others, and solve for nothing.
    return key && point && Buffer.compare(compress(this.#suite, point), key.encoded) === 0 ? solved : undefined;
  }

  /** @returns the signers whose own shares of the key follow from what they emitted */
  exposed(): number[] {
    const { parameters, verifyingShares } = this.#certificate;
    return parameters.signers.filter((index, i) => {
      const equations = [...this.#equations.values()].map(({ terms, value }) => ({
        terms: bySigner(this.#suite, terms, index),
        value,
      }));
      const solved = solveFor(`s${index}`, equations, this.#suite.Fn.ORDER);
      const point = solved === undefined || solved === 0n ? undefined : this.#suite.multiplyBasePublic(solved);
      return (
        point !== undefined && Buffer.compare(compress(this.#suite, point), fromHex(verifyingShares[i] ?? '0x')) === 0
      );
    });
  }
}

/** The same equation with one signer's share as an unknown of its own: a0 = s_i − Σ_{k≥1} a_k·i^k. */
function bySigner(suite: Suite, terms: ReadonlyMap<string, bigint>, index: number): Map<string, bigint> {
  const { Fn } = suite;
  const changed = new Map(terms);
  const constant = changed.get('a0');
  changed.delete('a0');
  if (constant === undefined) return changed;
  changed.set(`s${index}`, constant);
  for (const [name, value] of terms) {
    const degree = /^a([1-9][0-9]*)$/.exec(name)?.[1];
    if (degree !== undefined) changed.set(name, Fn.sub(value, Fn.mul(constant, Fn.pow(BigInt(index), BigInt(degree)))));
  }
  return changed;
}

function polynomialAt(
  { Fn }: Suite,
  { parameters }: FrostCertificate,
  index: number,
  factor: bigint,
): Map<string, bigint> {
  const terms = new Map<string, bigint>();
  let power = Fn.create(factor);
  for (let k = 0; k < parameters.t; k++) {
    terms.set(`a${k}`, power);
    power = Fn.mul(power, BigInt(index));
  }
  return terms;
}

/** @returns nothing for a package that is none: nobody can have made a share for it */
function equationOf(suite: Suite, certificate: FrostCertificate, emitted: EmittedShare): Equation | undefined {
  const { Fn, curve } = suite;
  const { signer, commitments } = emitted;
  const message = fromHex(emitted.message);
  const key = verificationPoint(suite, {
    internalKey: fromHex(certificate.internalKey),
    outputKey: fromHex(certificate.outputKey),
  });
  const own = commitments.find(({ index }) => index === signer);
  const points = commitments.map(({ hiding, binding }) => [
    decompress(suite, fromHex(hiding)),
    decompress(suite, fromHex(binding)),
  ]);
  if (!key || !own || emitted.share.length !== 66) return undefined;
  // BIP 340 knows keys and commitments by their points with even y.
  const encodedKey = suite.taproot ? concat(Uint8Array.of(2), key.encoded.subarray(1)) : key.encoded;

  // §4.3 and §4.4: every binding factor depends on the key, the message, the list and the signer.
  const list = concat(
    ...commitments.flatMap(({ index, hiding, binding }) => [
      identifierBytes(suite, index),
      fromHex(hiding),
      fromHex(binding),
    ]),
  );
  const prefix = concat(encodedKey, suite.H4(message), suite.H5(list));
  const factors = commitments.map(({ index }) => suite.H1(concat(prefix, identifierBytes(suite, index))));
  // §4.5: R = Σ D_i + ρ_i·E_i.
  const hiding = points.flatMap(([D]) => D ?? []);
  const binding = points.flatMap(([, E]) => E ?? []);
  if (hiding.length + binding.length < 2 * commitments.length) return undefined;
  let sum = curve.multiScalar(binding, factors);
  for (const D of hiding) sum = curve.addAffine(sum, D);
  const [R] = curve.normalize([sum]);
  if (!R) return undefined;
  // §4.6, and §4.2: λ_i = Π x_j / (x_j − x_i).
  const challenge = suite.challenge(compress(suite, R), encodedKey, message);
  let lambda = 1n;
  for (const { index } of commitments) {
    if (index === signer) continue;
    lambda = Fn.mul(lambda, Fn.div(BigInt(index), Fn.create(BigInt(index - signer))));
  }
  const nonceSign = suite.taproot && R.y & 1n ? Fn.neg(1n) : 1n;
  const keySign = suite.taproot && key.point.y & 1n ? Fn.neg(1n) : 1n;

  const bytes = Buffer.from(fromHex(emitted.share));
  const value = BigInt(`0x${(suite.littleEndian ? bytes.reverse() : bytes).toString('hex')}`);
  const pair = `${signer} ${own.hiding} ${own.binding}`;
  const rho = factors[commitments.indexOf(own)] as bigint;
  const terms = polynomialAt(suite, certificate, signer, Fn.mul(keySign, Fn.mul(lambda, challenge)));
  terms.set(`d ${pair}`, nonceSign);
  terms.set(`e ${pair}`, Fn.mul(nonceSign, rho));
  return { terms, value };
}

/** Gauss and Jordan modulo a prime. @returns the unknown's value, if the equations determine it */
export function solveFor(unknown: string, equations: readonly Equation[], order: bigint): bigint | undefined {
  // The sought unknown last: a row in which it alone is left is its value.
  const names = [...new Set(equations.flatMap(({ terms }) => [...terms.keys()]))].filter((name) => name !== unknown);
  names.push(unknown);
  const rows = equations.map(({ terms, value }) => [...names.map((name) => terms.get(name) ?? 0n), value]);
  let done = 0;
  for (let column = 0; column < names.length && done < rows.length; column++) {
    const pivot = rows.findIndex((row, i) => i >= done && row[column] !== 0n);
    if (pivot < 0) continue;
    const [row] = rows.splice(pivot, 1) as [bigint[]];
    const inverse = invert(row[column] as bigint, order);
    const normal = row.map((each) => modulo(each * inverse, order));
    if (column === names.length - 1) return normal[names.length];
    for (const [i, other] of rows.entries()) {
      const factor = other[column] as bigint;
      if (factor !== 0n) rows[i] = other.map((each, k) => modulo(each - factor * (normal[k] as bigint), order));
    }
    rows.splice(done, 0, normal);
    done++;
  }
  return undefined;
}
