/** The own processor is ready: its key may be shown to the other signers. */
import { onSignerReady } from '../../lib/node/coordinator.ts';
import { coordinatorFunction } from '../../lib/node/function.ts';

export const handler = coordinatorFunction('SignerReady', (node, payload, coin) => onSignerReady(node, coin, payload));
