/** A signer's shares for a session that this operator leads, and its next commitments. */
import { statementFunction } from '../../lib/node/function.ts';

export const handler = statementFunction('SignatureShare');
