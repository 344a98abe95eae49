import { describe, expect, test } from 'vitest';
import { outputId } from '../../lib/coconut/deposit.ts';
import { randomScalar } from '../../lib/coconut/groups.ts';
import { mclVerifier } from '../../lib/coconut/mcl-engine.ts';
import { isOutputOf } from '../../lib/coconut/transaction-output.ts';
import { toHex } from '../../lib/messages/hex.ts';
import { type Place, tagOf, WalletSecrets } from '../../lib/wallet/derivation.ts';
import { stream } from '../coconut/fixtures.ts';
import { bytesOf } from './world.ts';

const KEY = bytesOf('key');
const random = stream('wallet derivation');
const mine = () => new WalletSecrets(bytesOf('seed'), KEY);
const requested = (number: number, salt = 7n): Place & { kind: 'requested' } => ({ kind: 'requested', number, salt });

describe('what a wallet derives', () => {
  test('is the same in every byte for the same place and amount, and proven', async () => {
    const [first, second] = [mine().output(requested(1), 5n), mine().output(requested(1), 5n)];
    expect(second).toEqual(first);
    expect(isOutputOf(await mclVerifier(), KEY, first.output, first.invoiced)).toBe(true);
  });

  test('shares no serial and no nonce between amounts, places, salts, keys and seeds', () => {
    const secrets = mine();
    const tags = [toHex(new Uint8Array(48))].map((tag) => tag.replace(/0$/, '1') as `0x${string}`);
    const all = [
      secrets.output(requested(1), 5n),
      secrets.output(requested(1), 6n),
      secrets.output(requested(2), 5n),
      secrets.output(requested(1, 8n), 5n),
      secrets.output({ kind: 'change', tags, position: 0 }, 5n),
      secrets.output({ kind: 'change', tags, position: 1 }, 5n),
      new WalletSecrets(bytesOf('seed'), bytesOf('another key')).output(requested(1), 5n),
      new WalletSecrets(bytesOf('another seed'), KEY).output(requested(1), 5n),
    ];
    expect(new Set(all.map(({ opening }) => opening.attributes[0])).size).toBe(all.length);
    expect(new Set(all.map(({ output }) => toHex(output.commitment))).size).toBe(all.length);
    expect(new Set(all.map(({ output }) => toHex(output.ownerProof))).size).toBe(all.length);
  });

  test('is recognised with its amount by whoever has the seed, at its place only', () => {
    const { output } = mine().output(requested(3), 2n ** 64n - 1n);
    expect(mine().recognise(requested(3), output)?.invoiced.value).toBe(2n ** 64n - 1n);
    expect(mine().recognise(requested(3, 8n), output)).toBeUndefined();
    expect(mine().recognise(requested(4), output)).toBeUndefined();
    expect(new WalletSecrets(bytesOf('another seed'), KEY).recognise(requested(3), output)).toBeUndefined();
  });

  test('is not recognised when anything of it was changed', () => {
    const { output } = mine().output(requested(3), 9n);
    const other = mine().output(requested(4), 9n).output;
    const responses = new Uint8Array(output.ownerProof);
    // A response other than z_o, where the amount is not.
    responses[200] = (responses[200] ?? 0) ^ 1;
    for (const changed of [
      { ...output, value: other.value },
      { ...output, commitment: other.commitment },
      { ...output, openings: other.openings },
      { ...output, ownerProof: responses },
      { ...output, ownerProof: other.ownerProof },
    ])
      expect(mine().recognise(requested(3), changed)).toBeUndefined();
  });

  test('finds a marker by an id that depends on the number alone, and a salt in it', () => {
    const secrets = mine();
    const [first, second] = [secrets.marker(5, 1n), secrets.marker(5, 2n)];
    expect(toHex(outputId(first.output))).toBe(secrets.markerId(5, random));
    expect(toHex(outputId(second.output))).toBe(secrets.markerId(5, random));
    expect(toHex(first.output.ownerProof)).not.toBe(toHex(second.output.ownerProof));
    expect([secrets.saltOf(5, first.output), secrets.saltOf(5, second.output)]).toEqual([1n, 2n]);
    expect(secrets.saltOf(6, first.output)).toBeUndefined();
    expect(first.invoiced.value).toBe(0n);
  });

  test('has different nonces for two salts of one marker, or the difference of two proofs would give its opening away', () => {
    const scalars = (salt: bigint) => {
      const proof = mine().marker(5, salt).output.ownerProof;
      return Array.from({ length: 7 }, (_, k) => BigInt(toHex(proof.subarray(32 * k, 32 * (k + 1)))));
    };
    const r = 0x73eda753299d7d483339d80809a1d80553bda402fffe5bfeffffffff00000001n;
    const [a, b] = [scalars(1n), scalars(2n)];
    const { opening, invoiced } = mine().marker(5, 1n);
    const witness = [
      opening.o,
      ...opening.attributes,
      opening.blinding.get(0) ?? 0n,
      opening.blinding.get(1) ?? 0n,
      invoiced.blinding,
    ];
    // w = z − c·x
    const nonces = (of: bigint[]) => witness.map((x, k) => ((((of[k + 1] ?? 0n) - (of[0] ?? 0n) * x) % r) + r) % r);
    const [first, second] = [nonces(a), nonces(b)];
    expect(new Set([...first, ...second]).size).toBe(12);
  });

  test('has a tag that is the serial’s', () => {
    const serial = randomScalar(random);
    expect(tagOf(serial, random)).toBe(tagOf(serial, stream('other blinding')));
  });

  test('needs a seed of 32 bytes', () => {
    expect(() => new WalletSecrets(new Uint8Array(31), KEY)).toThrow('expected 32 bytes, got 31');
  });
});
