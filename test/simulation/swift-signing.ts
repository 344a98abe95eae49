/** In place of `lib/frost/signing.ts` in bulk runs: no signature verified twice. */
import { verifySignature as ownVerifySignature } from '../../lib/frost/signing.ts';
import { nameOfBytes, remembered } from './remembered.ts';

export {
  aggregate,
  checkNonceCommitment,
  generateNonces,
  type NonceCommitment,
  type Signer,
  type SigningKey,
  type SigningSession,
  signShare,
  verifySignatureShare,
} from '../../lib/frost/signing.ts';

/** As `lib/frost/signing.ts`. */
export const verifySignature: typeof ownVerifySignature = remembered(
  ({ name }, key, message, signature) =>
    [name, ...[key, message, signature].map((bytes) => `${bytes.length} ${nameOfBytes(bytes)}`)].join(' '),
  ownVerifySignature,
);
