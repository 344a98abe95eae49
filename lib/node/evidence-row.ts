/**
 * A proof as it lies in its row: plain, as whoever looks at a table would have it, or packed where a row of 400 KB would not hold it. A proof against a signer has a package, its sources and the messages in it:
 * with a hundred operators and messages at their limits some 430 KB, nearly all of it hexadecimal, which packs to less than two thirds.
 */
import { deflateRawSync, inflateRawSync } from 'node:zlib';
import { utf8 } from '../messages/bytes.ts';
import { type Evidence, MAX_EVIDENCE_BYTES, parseEvidence } from '../messages/evidence.ts';

/** An item holds 400 KB. */
const ROW_BYTES = 390_000;
/** No JSON begins like this: DEFLATE (RFC 1951), in base64. */
const PACKED = 'deflate:';

/** @returns nothing for what fills a row packed, too: hexadecimal of honest length does not, so a culprit has blown it up */
export function evidenceText(evidence: Evidence): string | undefined {
  const plain = JSON.stringify(evidence);
  const bytes = utf8(plain);
  if (bytes.length <= ROW_BYTES) return plain;
  const packed = `${PACKED}${deflateRawSync(bytes).toString('base64')}`;
  return packed.length <= ROW_BYTES ? packed : undefined;
}

/** @returns nothing for what is no proof */
export function evidenceIn(text: unknown): Evidence | undefined {
  if (typeof text !== 'string') return undefined;
  const parsed = parseEvidence(text.startsWith(PACKED) ? unpacked(text.slice(PACKED.length)) : text);
  return parsed.ok ? parsed.evidence : undefined;
}

function unpacked(base64: string): string {
  return inflateRawSync(Buffer.from(base64, 'base64'), { maxOutputLength: MAX_EVIDENCE_BYTES }).toString('utf8');
}
