/**
 * An invoice: outputs that a payee made, and what opens their amounts. The payer learns no serial, so that it can neither spend what it pays nor recognise it when it is spent; and cannot
 * change the amount, since V is under the payee's proof.
 */
import * as z from 'zod';
import { OWNER_PROOF_BYTES, type TransactionOutput } from '../coconut/transaction-bytes.ts';
import { isOutputOf } from '../coconut/transaction-output.ts';
import type { Paid } from '../coconut/transaction-proof.ts';
import type { Verifier } from '../coconut/verifier.ts';
import { amount, hex32, hexOf } from '../messages/fields.ts';
import { fromHex, type Hex, toHex } from '../messages/hex.ts';

const g1 = hexOf(48);
const invoiced = z.strictObject({
  commitment: g1,
  openings: z.array(g1).length(2),
  value: g1,
  ownerProof: hexOf(OWNER_PROOF_BYTES),
  /** b of V, 32 bytes. SECRET between payer and payee. */
  blinding: hex32,
});

/** As it goes from payee to payer, on whatever way they have; 2 × 448 bytes and what is around them. */
export const invoice = z.strictObject({
  version: z.literal(1),
  /** Of the key that will sign: another key's tokens are of another asset or epoch. */
  keyId: hex32,
  amount,
  token: invoiced,
  /** Of value 0: by it the payee, restored from its seed, finds the payment. */
  marker: invoiced,
});
export type Invoice = z.infer<typeof invoice>;

/** The payee does not ask for what the invoice says. */
export class InvoiceRefused extends Error {
  readonly kind = 'InvoiceRefused';
}

function stated({ output, invoiced: { blinding } }: Paid): z.infer<typeof invoiced> {
  return {
    commitment: toHex(output.commitment),
    openings: output.openings.map(toHex),
    value: toHex(output.value),
    ownerProof: toHex(output.ownerProof),
    blinding: `0x${blinding.toString(16).padStart(64, '0')}`,
  };
}

/** @param keyId 32 bytes */
export function invoiceOf(keyId: Hex, token: Paid, marker: Paid): Invoice {
  return { version: 1, keyId, amount: `${token.invoiced.value}`, token: stated(token), marker: stated(marker) };
}

export function outputIn(of: Invoice['token']): TransactionOutput {
  return {
    commitment: fromHex(of.commitment as Hex),
    openings: of.openings.map((each) => fromHex(each as Hex)),
    value: fromHex(of.value as Hex),
    ownerProof: fromHex(of.ownerProof as Hex),
  };
}

/**
 * What the payer puts into its transaction. A payee may lie about everything in it, and an invoice may come through others' hands: all is checked before anything is paid.
 * @param source anything
 * @throws {InvoiceRefused} for another shape or key; if an output is not proven or V holds another amount than is asked for; if both outputs are one
 */
export function payable(source: unknown, keyId: Hex, verifier: Verifier): readonly [token: Paid, marker: Paid] {
  const parsed = invoice.safeParse(source);
  if (!parsed.success) throw new InvoiceRefused('expected an invoice, got another shape');
  const { keyId: ofKey, amount: asked, token, marker } = parsed.data;
  if (ofKey !== keyId) throw new InvoiceRefused(`expected an invoice for the key ${keyId}, got one for ${ofKey}`);
  if (token.commitment === marker.commitment) throw new InvoiceRefused('expected two outputs, got one twice');
  const paid = (of: Invoice['token'], value: bigint): Paid => {
    const output = outputIn(of);
    const opening = { value, blinding: BigInt(of.blinding) };
    // V is what the payer's balance is made with: one of another amount makes a transaction that services refuse, and whose nonces are used up.
    if (!isOutputOf(verifier, fromHex(keyId), output, opening))
      throw new InvoiceRefused(`expected an output of ${value} with its owner’s proof, got another`);
    return { output, invoiced: opening };
  };
  return [paid(token, BigInt(asked)), paid(marker, 0n)];
}
