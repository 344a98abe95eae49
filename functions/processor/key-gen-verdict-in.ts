/** A peer's one verdict on a key generation: confirmed or aborted. */
import { statementFunction } from '../../lib/node/function.ts';

export const handler = statementFunction('KeyGenVerdict');
