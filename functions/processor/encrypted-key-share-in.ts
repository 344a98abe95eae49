/** A peer's share for this operator. */
import { statementFunction } from '../../lib/node/function.ts';

export const handler = statementFunction('EncryptedKeyShare');
