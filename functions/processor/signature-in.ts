/** The signatures, from a leader. */
import { statementFunction } from '../../lib/node/function.ts';

export const handler = statementFunction('Signature');
