/** Deadlines and re-sends, as a processor’s; and what was spent goes to the peers. */
import { processorFunction } from '../../lib/node/function.ts';
import { onServiceWake } from '../../lib/node/tokens.ts';
import { coconutScheme } from '../../lib/signing-service/coconut-scheme.ts';

export const handler = processorFunction('Wake', (node, payload, delivery) =>
  onServiceWake(node, coconutScheme, payload, delivery),
);
