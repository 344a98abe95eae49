/** A peer's polynomial commitments and its proof of knowledge. */
import { statementFunction } from '../../lib/node/function.ts';

export const handler = statementFunction('EncryptedKeyGenCommitment');
