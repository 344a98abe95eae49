import { hexToBytes } from '@noble/hashes/utils.js';
import { base58 } from '@scure/base';
import { Address, NETWORK, OutScript } from '@scure/btc-signer';
import { describe, expect, it } from 'vitest';
import { addressOf } from '../../lib/frost/address.ts';
import { FrostInputError, suiteOf } from '../../lib/frost/suite.ts';
import { keygen } from './committee.ts';

const taproot = suiteOf('FROST-secp256k1-SHA256-TR-v1');
const solana = suiteOf('FROST-ED25519-SHA512-v1');

describe('addresses', () => {
  it('the Taproot address pays to the output key', () => {
    const { outputKey } = keygen(taproot, 2, 3).key;
    const address = addressOf(taproot, outputKey);
    expect(address).toMatch(/^bc1p/);
    const script = OutScript.encode(Address(NETWORK).decode(address));
    expect(script).toEqual(Uint8Array.of(0x51, 0x20, ...outputKey));
  });

  it('is that of BIP 341 wallet test vectors for a key-path-only output', () => {
    const outputKey = hexToBytes('53a1f6e454df1aa2776a2814a721372d6258050de330b3c6d10ee8f4e0dda343');
    expect(addressOf(taproot, outputKey)).toBe('bc1p2wsldez5mud2yam29q22wgfh9439spgduvct83k3pm50fcxa5dps59h4z5');
  });

  it('another network has another prefix', () => {
    const { outputKey } = keygen(taproot, 2, 3).key;
    expect(addressOf(taproot, outputKey, 'tb')).toMatch(/^tb1p/);
    expect(addressOf(taproot, outputKey, 'bcrt')).toMatch(/^bcrt1p/);
  });

  it('the Solana address is the key in base58', () => {
    const { outputKey } = keygen(solana, 2, 3).key;
    expect(base58.decode(addressOf(solana, outputKey))).toEqual(outputKey);
  });

  it('a key of another length has no address', () => {
    for (const suite of [taproot, solana]) {
      for (const length of [0, 31, 33]) expect(() => addressOf(suite, new Uint8Array(length))).toThrow(FrostInputError);
    }
  });
});
