/** A leader's choice of t signers and their commitments. */
import { statementFunction } from '../../lib/node/function.ts';

export const handler = statementFunction('SigningPackage');
