/** The address of a group key on its chain. */
import { base58, bech32m } from '@scure/base';
import { FrostInputError, type Suite } from './suite.ts';

/**
 * secp256k1: a Taproot address, `{hrp}1p…` (BIP 350: bech32m of witness version 1 and the output key). Ed25519: a
 * Solana address, the key in base58.
 * @param outputKey 32 bytes
 * @param hrp `bc` for Bitcoin's main network, `tb` for its test networks, `bcrt` for regtest; ignored for Ed25519
 * @throws {FrostInputError} if the key has another length
 */
export function addressOf(suite: Suite, outputKey: Uint8Array, hrp: 'bc' | 'tb' | 'bcrt' = 'bc'): string {
  if (outputKey.length !== 32) throw new FrostInputError('output key', '32 bytes', `${outputKey.length} bytes`);
  if (!suite.taproot) return base58.encode(outputKey);
  return bech32m.encode(hrp, [1, ...bech32m.toWords(outputKey)]);
}
