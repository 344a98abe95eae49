/** A gateway to services that judge plain transactions, for tests in which the mathematics does not matter; and a hand that signs votes in any service's name. */
import { x25519 } from '@noble/curves/ed25519.js';
import { GATEWAY, identityOf, type LocalCommittee } from '../../lib/local/committee.ts';
import { type Hex, toHex } from '../../lib/messages/hex.ts';
import { signVote, type VoteCertificate } from '../../lib/messages/tokens.ts';
import { ownSecretKey } from '../../lib/node/rows.ts';
import type { Ports } from '../../lib/ports.ts';
import { quorumOf, voteOf } from '../../lib/signing-service/certificate.ts';
import { Vault } from '../../lib/vault/vault.ts';
import { bytesOf } from '../messages/fixtures.ts';
import { ASSET, type Plain, PlainScheme, tag } from './plain.ts';

const REPLY = { replyTo: GATEWAY as string, replyKey: toHex(x25519.getPublicKey(bytesOf('one-time key'))) };
const point = (length: number): Hex => `0x${'01'.repeat(length)}`;

/** What the committee file says of the asset: any 2 of 3, and none of them may lie. */
export const PLAIN_TERMS = {
  t: 2,
  f: 0,
  epoch: 3,
  depositors: {
    keys: ['0xd75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a' as Hex],
    required: 1,
    capPerEpoch: '1000',
  },
};

/** A message of the right shape, whose `proof` is the plain text of what it claims. */
export function plainMessage(plain: Plain) {
  const { tags = [], outputs = [], withdraw } = plain;
  return {
    version: 1 as const,
    asset: ASSET,
    epoch: 3,
    inputs: tags.map((each) => ({ h: point(48), s: point(48), kappa: point(96), tag: each, value: point(48) })),
    outputs: outputs.map((name) => ({
      commitment: tag(name),
      openings: [point(48), point(48)],
      value: point(48),
      ownerProof: point(160),
    })),
    deposits: [],
    ...(withdraw ? { withdraw } : {}),
    proof: toHex(Buffer.from(JSON.stringify(plain))),
    range: point(32),
  };
}
type PlainMessage = ReturnType<typeof plainMessage>;

export class PlainGateway {
  readonly #committee: LocalCommittee;

  constructor(committee: LocalCommittee) {
    this.#committee = committee;
  }

  async post(message: 'Transaction' | 'TransactionCertificate', payload: object, services?: readonly number[]) {
    const { cloud } = this.#committee;
    await this.#committee.post(ASSET, message, JSON.stringify({ [message]: { ...payload, ...REPLY } }), services);
    await cloud.run({ until: cloud.now + 2_000 });
  }

  /** Both phases, at every service. */
  async settle(plain: Plain): Promise<void> {
    const message = plainMessage(plain);
    await this.post('Transaction', message);
    await this.post('TransactionCertificate', await this.certificate(message, [1, 2]));
  }

  /** Of services that vote for whatever they are shown. */
  async certificate(message: PlainMessage, voters: readonly number[]): Promise<VoteCertificate & { transaction: Hex }> {
    const reading = new PlainScheme().read(message as never);
    if (!reading.ok) throw new Error(`expected a plain transaction, got ${reading.reason}`);
    const vote = voteOf(reading.transaction);
    const { context } = quorumOf(this.#committee.committee, ASSET);
    const signatures = [];
    for (const index of voters)
      signatures.push({ index, signature: signVote(context, vote, await this.#signatureKey(index)) });
    return { vote, signatures, transaction: message.proof };
  }

  async #signatureKey(operator: number): Promise<Uint8Array> {
    const name = `${identityOf(operator)}/${ASSET}`;
    const { cloud } = this.#committee;
    const store = cloud.store(name);
    const ports = { store, wrapper: cloud.wrapper(name), random: cloud.random('test') } as unknown as Ports;
    const row = await store.get('Keys', ownSecretKey('SIGNATURE'));
    const vault = new Vault(ports, identityOf(operator), ASSET);
    return (await vault.unwrap({ kind: 'own', id: 'own' }, 'SIGNATURE', row?.['blob'] as Uint8Array)).bytes;
  }
}
