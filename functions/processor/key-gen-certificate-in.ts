/** All participants' confirmations of one key; the same from anyone. */
import { statementFunction } from '../../lib/node/function.ts';

export const handler = statementFunction('KeyGenCertificate');
