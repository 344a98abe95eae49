/** What a peer lacks of the spent serials. */
import { processorFunction } from '../../lib/node/function.ts';
import { onSpentSerialsRequest } from '../../lib/node/tokens.ts';
import { coconutScheme } from '../../lib/signing-service/coconut-scheme.ts';

export const handler = processorFunction('SpentSerialsRequestIn', (node, payload) =>
  onSpentSerialsRequest(node, coconutScheme, payload),
);
