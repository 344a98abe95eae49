import { verificationPoint } from '../../../lib/frost/dkg.ts';
import { compress } from '../../../lib/frost/points.ts';
import { type Suite, type SuiteName, suiteOf } from '../../../lib/frost/suite.ts';
import type { FrostCertificate } from '../../../lib/messages/certificate.ts';
import { fromHex, type Hex, toHex } from '../../../lib/messages/hex.ts';
import type { Report } from './violation.ts';

interface Holding {
  /** 32 bytes; `undefined` once deleted. */
  share: Uint8Array | undefined;
  status: string;
}

/** 1, 2 and 3: what honest operators hold of the keys that were made. */
export class Keys {
  readonly #honest: ReadonlySet<number>;
  readonly #report: Report;
  readonly #held = new Map<Hex, Map<number, Holding>>();
  readonly #certificates = new Map<Hex, FrostCertificate>();
  /** By ceremony. */
  readonly #agreed = new Map<string, { readonly operator: number; readonly key: string }>();
  /** Their `Keys` table is not the one that they stored their shares in: what they held is lost, and no fault of the protocol. */
  readonly #robbed = new Set<number>();

  constructor(honest: ReadonlySet<number>, report: Report) {
    this.#honest = honest;
    this.#report = report;
  }

  certificate(keyId: Hex): FrostCertificate | undefined {
    return this.#certificates.get(keyId);
  }

  get certified(): ReadonlyMap<Hex, FrostCertificate> {
    return this.#certificates;
  }

  statusAt(operator: number, keyId: Hex): string | undefined {
    return this.#held.get(keyId)?.get(operator)?.status;
  }

  /** The `SHARE` row of a key changed. @param share 32 bytes, `undefined`: deleted */
  share(operator: number, keyId: Hex, share: Uint8Array | undefined): void {
    const holding = this.#holding(operator, keyId);
    const { share: before } = holding;
    holding.share = share;
    if (before && !share) this.#report(3, `operator ${operator} deleted its share of key ${keyId}`);
    if (before && share && Buffer.compare(before, share) !== 0)
      this.#report(3, `operator ${operator} replaced its share of key ${keyId}`);
  }

  /** The `PUBLIC` row of a key changed. */
  status(operator: number, keyId: Hex, status: string, certificate: FrostCertificate | undefined): void {
    const holding = this.#holding(operator, keyId);
    if (holding.status === 'certified' && status !== 'certified')
      this.#report(10, `operator ${operator} turned key ${keyId} from certified to ${status}`);
    holding.status = status;
    if (status === 'certified' && certificate) this.#certified(operator, keyId, certificate);
  }

  /** Another table lies under the name: its owner's shares are gone. */
  robbed(operator: number): void {
    this.#robbed.add(operator);
  }

  /** When all is quiet. @param excused operators that hid a key themselves, or whose tables were taken back */
  finish(excused: ReadonlySet<number>): void {
    for (const [keyId, certificate] of this.#certificates) {
      for (const operator of certificate.parameters.signers) {
        if (!this.#honest.has(operator) || excused.has(operator) || this.#robbed.has(operator)) continue;
        const status = this.statusAt(operator, keyId);
        if (status !== 'certified') this.#report(3, `operator ${operator} holds certified key ${keyId} as ${status}`);
      }
    }
  }

  #certified(operator: number, keyId: Hex, certificate: FrostCertificate): void {
    const { signatures: _, ...content } = certificate;
    const key = JSON.stringify([keyId, content]);
    const ceremony = JSON.stringify(certificate.parameters);
    const before = this.#agreed.get(ceremony);
    if (!before) this.#agreed.set(ceremony, { operator, key });
    else if (before.key !== key)
      this.#report(1, `operators ${before.operator} and ${operator} certified different keys of one ceremony`);
    for (const other of certificate.parameters.signers) {
      if (!this.#honest.has(other) || this.#robbed.has(other)) continue;
      if (!this.#held.get(keyId)?.get(other)?.share)
        this.#report(3, `operator ${operator} certified key ${keyId}, and operator ${other} has no share of it`);
    }
    if (this.#certificates.has(keyId)) return;
    this.#certificates.set(keyId, certificate);
    this.#interpolate(keyId, certificate);
  }

  #interpolate(keyId: Hex, { parameters, verifyingShares, internalKey, outputKey }: FrostCertificate): void {
    const suite = suiteOf(parameters.suite as SuiteName);
    const shares = new Map<number, bigint>();
    for (const [i, operator] of parameters.signers.entries()) {
      const bytes = this.#held.get(keyId)?.get(operator)?.share;
      if (!bytes || !this.#honest.has(operator)) continue;
      const scalar = scalarOf(suite, bytes);
      const point = scalar === 0n ? undefined : suite.multiplyBasePublic(scalar);
      if (!point || toHex(compress(suite, point)) !== verifyingShares[i])
        this.#report(2, `operator ${operator}'s share of key ${keyId} is not the one that its verifying share shows`);
      shares.set(operator, scalar);
    }
    const { t } = parameters;
    if (shares.size < t) return;
    const key = verificationPoint(suite, { internalKey: fromHex(internalKey), outputKey: fromHex(outputKey) });
    const points = [...shares];
    const first = interpolate(suite, points.slice(0, t));
    const secret = first[0] === 0n ? undefined : suite.multiplyBasePublic(first[0] as bigint);
    if (!key || !secret || toHex(compress(suite, secret)) !== toHex(key.encoded))
      this.#report(2, `t honest shares of key ${keyId} give another key`);
    if (first[t - 1] === 0n) this.#report(2, `the polynomial of key ${keyId} has a degree below t − 1`);
    // The rest lie on the same polynomial, so that any t give what these give.
    for (const [index, share] of points.slice(t))
      if (evaluate(suite, first, index) !== share)
        this.#report(
          2,
          `operator ${index}'s share of key ${keyId} does not lie on the others' polynomial of degree t − 1`,
        );
  }

  #holding(operator: number, keyId: Hex): Holding {
    const held = this.#held.get(keyId) ?? new Map<number, Holding>();
    this.#held.set(keyId, held);
    const holding = held.get(operator) ?? { share: undefined, status: 'absent' };
    held.set(operator, holding);
    return holding;
  }
}

export function scalarOf(suite: Suite, bytes: Uint8Array): bigint {
  const big = suite.littleEndian ? Buffer.from(bytes).reverse() : Buffer.from(bytes);
  return BigInt(`0x${big.toString('hex')}`);
}

/** The coefficients, constant term first, of the polynomial through these points, by Newton's divided differences. */
export function interpolate(suite: Suite, points: readonly (readonly [number, bigint])[]): bigint[] {
  const { Fn } = suite;
  const xs = points.map(([index]) => BigInt(index));
  const table = points.map(([, value]) => value);
  for (let order = 1; order < points.length; order++)
    for (let i = points.length - 1; i >= order; i--)
      table[i] = Fn.div(
        Fn.sub(table[i] as bigint, table[i - 1] as bigint),
        Fn.create((xs[i] as bigint) - (xs[i - order] as bigint)),
      );
  const result: bigint[] = points.map(() => 0n);
  // Horner over the Newton form.
  for (let i = points.length - 1; i >= 0; i--) {
    for (let k = points.length - 1; k > 0; k--)
      result[k] = Fn.sub(result[k - 1] as bigint, Fn.mul(result[k] as bigint, xs[i] as bigint));
    result[0] = Fn.sub(table[i] as bigint, Fn.mul(result[0] as bigint, xs[i] as bigint));
  }
  return result;
}

export function evaluate({ Fn }: Suite, coefficients: readonly bigint[], index: number): bigint {
  let value = 0n;
  for (const coefficient of [...coefficients].reverse()) value = Fn.add(Fn.mul(value, BigInt(index)), coefficient);
  return value;
}
