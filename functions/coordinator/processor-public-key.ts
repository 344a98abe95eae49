/** The own processor's messaging key, signed; a higher generation replaces the previous key at once. */
import { onProcessorPublicKey } from '../../lib/node/coordinator.ts';
import { coordinatorFunction } from '../../lib/node/function.ts';

export const handler = coordinatorFunction('ProcessorPublicKey', (node, payload, coin) =>
  onProcessorPublicKey(node, coin, payload),
);
