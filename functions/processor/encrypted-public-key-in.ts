/** A peer's sealing key of a ceremony, and the hash of the commitment statement to come. */
import { statementFunction } from '../../lib/node/function.ts';

export const handler = statementFunction('EncryptedPublicKey');
