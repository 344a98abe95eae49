/** Tokens and transactions of a dealt key, 2 of 3, for the tests of transactions. */
import { createHash } from 'node:crypto';
import { ed25519 } from '@noble/curves/ed25519.js';
import type { RandomBytes } from '../../lib/ceremony.ts';
import { Coconut } from '../../lib/coconut/coconut.ts';
import { generateKeys } from '../../lib/coconut/dealer.ts';
import { type DepositStatement, ownerOf, signDeposit } from '../../lib/coconut/deposit.ts';
import { randomScalar } from '../../lib/coconut/groups.ts';
import { type Credential, obtain, type PartialSignature } from '../../lib/coconut/issue.ts';
import type { TransactionDeposit, TransactionOutput } from '../../lib/coconut/transaction-bytes.ts';
import { type OwnedOutput, ownOutput, requestOf, signOutputs } from '../../lib/coconut/transaction-output.ts';
import {
  makeTransaction,
  type Paid,
  type RandomnessOf,
  type TransactionContext,
  type TransactionPlan,
} from '../../lib/coconut/transaction-proof.ts';
import type { Verifier } from '../../lib/coconut/verifier.ts';
import { toHex } from '../../lib/messages/hex.ts';
import { stream } from './fixtures.ts';

const bytesOf = (label: string): Uint8Array => new Uint8Array(createHash('sha256').update(label).digest());

/** Ed25519 secrets, in the order of their public keys. */
export const DEPOSITORS = ['a', 'b', 'c']
  .map((label) => bytesOf(`depositor ${label}`))
  .map((secret) => ({ secret, key: toHex(ed25519.getPublicKey(secret)) }))
  .sort((x, y) => (x.key < y.key ? -1 : 1));

/** An asset of 2-of-3 services with depositors 2 of 3. */
export class Mint {
  readonly coconut = Coconut.create({ attributes: 2, threshold: 2, total: 3 }, stream('coconut'));
  readonly keys = generateKeys(this.coconut, stream('keys'));
  readonly random: RandomBytes;
  readonly verifier: Verifier;
  readonly context: TransactionContext = {
    network: 'test',
    committee: toHex(bytesOf('committee')),
    asset: 'usd',
    epoch: 3,
    parameters: this.coconut,
    key: this.keys.verificationKey,
    depositors: { keys: DEPOSITORS.map(({ key }) => key), required: 2 },
  };

  constructor(verifier: Verifier, name: string) {
    this.verifier = verifier;
    this.random = stream(name);
  }

  get randomnessOf(): RandomnessOf {
    return () => this.random;
  }

  output(value: bigint, serial = randomScalar(this.random)): OwnedOutput {
    return ownOutput(this.context.key.id, { serial, value }, this.random);
  }

  paid(value: bigint): Paid {
    return this.output(value);
  }

  partials(outputs: readonly TransactionOutput[]): PartialSignature[][] {
    const signed = [1, 2].map((index) => {
      const secret = this.keys.secretKeys[index - 1];
      if (!secret) throw new Error('no such service');
      return { index, signatures: signOutputs(secret, this.context.key.id, outputs, this.random) };
    });
    return outputs.map((_, k) =>
      signed.map(({ index, signatures }) => ({ index, signature: signatures[k] ?? new Uint8Array(0) })),
    );
  }

  /** What the owner makes of t signatures. */
  credential({ output, opening }: OwnedOutput, partials = this.partials([output])[0] ?? []): Credential {
    const got = obtain(
      this.coconut,
      this.keys,
      { statement: requestOf(this.context.key.id, output), opening },
      partials,
      { verifier: this.verifier, random: this.random },
    );
    if (!got.ok) throw new Error(`services ${got.culprits} signed wrongly`);
    return got.credential;
  }

  token(value: bigint): Credential {
    return this.credential(this.output(value));
  }

  deposit(
    value: bigint,
    outputs: readonly TransactionOutput[],
    changes: Partial<DepositStatement> = {},
    by: readonly (typeof DEPOSITORS)[number][] = DEPOSITORS.slice(0, 2),
  ): TransactionDeposit {
    const statement = { depositId: this.random(32), value, owner: ownerOf(outputs), ...changes };
    return {
      ...statement,
      signatures: by.map(({ secret, key }) => ({ key, signature: signDeposit(this.context, statement, secret) })),
    };
  }

  make(plan: Partial<TransactionPlan>) {
    const whole = { inputs: [], outputs: [], deposits: [], ...plan };
    return makeTransaction(this.context, whole, this.verifier, this.randomnessOf);
  }
}
