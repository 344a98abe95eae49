/** The stored answers, for a wallet that was restored from its seed. */
import { processorFunction } from '../../lib/node/function.ts';
import { onRecoverIssued } from '../../lib/node/tokens.ts';
import { coconutScheme } from '../../lib/signing-service/coconut-scheme.ts';

export const handler = processorFunction('RecoverIssued', (node, payload, delivery) =>
  onRecoverIssued(node, coconutScheme, payload, delivery),
);
