/** An exhibit: it accuses nobody, what it proves it proves to anyone. */
import { statementFunction } from '../../lib/node/function.ts';

export const handler = statementFunction('KeyGenEvidence');
