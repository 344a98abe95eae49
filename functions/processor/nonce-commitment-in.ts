/** A signer's nonce commitments, for the ceremony that this operator leads. */
import { statementFunction } from '../../lib/node/function.ts';

export const handler = statementFunction('NonceCommitment');
