/** What an operator's own client or the operator itself may ask of a processor, optionally signed by k of m instruction keys. */
import canonicalize from 'canonicalize';
import * as z from 'zod';
import { concat, lp, tagged, utf8 } from './bytes.ts';
import { verifies } from './ed25519.ts';
import { coin, hex32, hex64, seconds, signers } from './fields.ts';
import { fromHex, type Hex } from './hex.ts';
import { messages, purpose, requestId, suiteName, threshold } from './parameters.ts';
import { withdrawal } from './tokens.ts';

const signatures = z
  .array(z.strictObject({ key: hex32, signature: hex64 }))
  .max(32)
  .optional();

export const keyGen = z.strictObject({ coin, suite: suiteName, t: threshold, signers, requestId, expiresAt: seconds });
export const sign = z.strictObject({
  keyId: hex32,
  messages,
  purpose,
  requestId,
  expiresAt: seconds,
  /** What pays for it, where the operator's policy asks for that. */
  withdrawal: withdrawal.optional(),
});

export const multisigInstruction = z.union([
  z.strictObject({ KeyGen: keyGen, signatures }),
  z.strictObject({ Sign: sign, signatures }),
]);
export type MultisigInstruction = z.infer<typeof multisigInstruction>;

const nothing = z.strictObject({});
export const control = z.union([
  z.strictObject({ Halt: nothing, signatures }),
  z.strictObject({ Release: nothing, signatures }),
  z.strictObject({ Abandon: z.strictObject({ ceremony: hex32 }), signatures }),
  z.strictObject({ CleanUp: nothing, signatures }),
]);
export type Control = z.infer<typeof control>;

/** k of m Ed25519 keys that must sign what the client asks for. */
export interface InstructionKeys {
  readonly required: number;
  readonly keys: readonly Hex[];
}

/** Where an instruction is meant to be followed: the same words mean nothing in another committee or for another coin. */
export interface InstructionScope {
  readonly committee: Hex;
  readonly coin: string;
}

/**
 * What an instruction key signs: committee(32) ‖ LP(coin) ‖ LP(canonical JSON, RFC 8785, of the instruction without its signatures), tagged. Not the operator: one
 * set of signatures may be shown to every operator of the committee.
 */
export function instructionBytes(
  instruction: MultisigInstruction | Control,
  { committee, coin: of }: InstructionScope,
): Uint8Array {
  const { signatures: _, ...unsigned } = instruction;
  return concat(tagged('instruction'), fromHex(committee), lp(utf8(of)), lp(utf8(canonicalize(unsigned) ?? '')));
}

/** True if at least `required` *different* listed keys have signed. */
export function checkInstructionSignatures(
  instruction: MultisigInstruction | Control,
  scope: InstructionScope,
  { required, keys }: InstructionKeys,
): boolean {
  const bytes = instructionBytes(instruction, scope);
  const signed = new Set<Hex>();
  for (const { key, signature } of instruction.signatures ?? []) {
    if (keys.includes(key) && verifies(bytes, fromHex(signature), key)) signed.add(key);
  }
  return signed.size >= required;
}
