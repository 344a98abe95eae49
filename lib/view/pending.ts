/** What peers ask for and the own client has not authorised: decoded, so that a person can decide. */
import type { Certificate } from '../messages/certificate.ts';
import { fromHex, type Hex } from '../messages/hex.ts';
import {
  type CeremonyParameters,
  ceremonyId,
  keygenParameters,
  type SigningParameters,
  signingParameters,
} from '../messages/parameters.ts';
import type { Item } from '../ports.ts';
import { type Beholder, identityIn } from './ceremony.ts';
import type { PendingView } from './committee-view.ts';

/** One peer's request, as it was kept. */
export interface Stray {
  readonly from: number;
  readonly ceremony: Hex;
  readonly parameters: CeremonyParameters;
}

/** @param rows of one peer's partition @param now seconds UTC: rows whose time is over may lie there for days */
export function straysOf(from: number, rows: readonly Item[], now: number): Stray[] {
  return rows.flatMap((row) => {
    const { parameters, ttl } = row;
    if (typeof parameters !== 'string' || typeof ttl !== 'number' || ttl <= now) return [];
    const json: unknown = JSON.parse(parameters);
    const signing = signingParameters.safeParse(json);
    const keygen = signing.success ? undefined : keygenParameters.safeParse(json);
    const data = signing.success ? signing.data : keygen?.data;
    return data && data.expiresAt > now ? [{ from, ceremony: row.sk as Hex, parameters: data }] : [];
  });
}

/**
 * Each ceremony once, however many ask for it, soonest to expire first.
 * @param running ceremonies that the own client has authorised already
 * @param certificateOf of a key that is certified here
 */
export function pendingOf(
  strays: readonly Stray[],
  running: ReadonlySet<Hex>,
  certificateOf: (keyId: Hex) => Certificate | undefined,
  beholder: Beholder,
): PendingView[] {
  const { committee } = beholder;
  const byCeremony = new Map<Hex, { readonly parameters: CeremonyParameters; readonly askedBy: Set<number> }>();
  for (const { from, ceremony, parameters } of strays) {
    if (running.has(ceremony)) continue;
    const known = byCeremony.get(ceremony);
    if (known) known.askedBy.add(from);
    else byCeremony.set(ceremony, { parameters, askedBy: new Set([from]) });
  }
  return [...byCeremony]
    .map(([ceremony, { parameters, askedBy }]): PendingView => {
      const { kind, coin, t, signers, requestId, expiresAt } = parameters;
      const cannot = whyNot(ceremony, parameters, certificateOf, beholder);
      return {
        ceremony,
        kind,
        coin,
        askedBy: [...askedBy].sort((a, b) => a - b).map((index) => ({ index, identity: identityIn(committee, index) })),
        t,
        signers: [...signers],
        ...(parameters.kind === 'signing'
          ? { keyId: parameters.keyId, purpose: parameters.purpose, messages: parameters.messages.map(readable) }
          : {}),
        requestId,
        expiresAt,
        ...(cannot === undefined ? {} : { cannot }),
      };
    })
    .sort((a, b) => a.expiresAt - b.expiresAt || (a.ceremony < b.ceremony ? -1 : 1));
}

/**
 * Why an approval could not join this very ceremony. The processor takes suite, threshold and signers from its own committee file and certificate, whatever a peer
 * says: an approval of a request that lies about them would begin another ceremony than the one that was read.
 */
function whyNot(
  ceremony: Hex,
  parameters: CeremonyParameters,
  certificateOf: (keyId: Hex) => Certificate | undefined,
  { committee, self, now }: Beholder,
): string | undefined {
  if (ceremonyId(parameters) !== ceremony) return 'its parameters do not give its id';
  if (parameters.committee !== committee.id) return 'it is of another committee';
  if (!parameters.signers.includes(self)) return 'this operator is not among its signers';
  if (parameters.expiresAt <= now) return 'it has expired';
  if (parameters.kind === 'keygen') {
    const pinned = committee.keyOf(parameters.coin);
    if (pinned?.suite !== parameters.suite || pinned.t !== parameters.t)
      return 'its suite or threshold is not the committee file’s';
    return undefined;
  }
  return whyNotSigned(ceremony, parameters, certificateOf(parameters.keyId));
}

function whyNotSigned(ceremony: Hex, asked: SigningParameters, certificate: Certificate | undefined) {
  if (!certificate) return 'its key is not certified here';
  const { coin, suite, t, signers } = certificate.parameters;
  if (suite === 'coconut-bls12381') return 'its key signs credentials, and in its own way';
  if (ceremonyId({ ...asked, coin, suite, t, signers }) !== ceremony)
    return 'its suite, threshold or signers are not those of the key';
  return undefined;
}

/** A message of printable text is also shown as such: nobody approves what he cannot read. Control and direction marks make it not printable. */
export function readable(hex: Hex): { hex: Hex; text?: string } {
  const text = new TextDecoder().decode(fromHex(hex));
  const printable = /^[\p{L}\p{N}\p{P}\p{S}\p{Zs}]+$/u.test(text) && !text.includes('\ufffd');
  return printable ? { hex, text } : { hex };
}
