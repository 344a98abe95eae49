/** A peer’s certificates of spent serials; they prove themselves. */
import { processorFunction } from '../../lib/node/function.ts';
import { onSpentSerials } from '../../lib/node/tokens.ts';
import { coconutScheme } from '../../lib/signing-service/coconut-scheme.ts';

export const handler = processorFunction('SpentSerialsIn', (node, payload) =>
  onSpentSerials(node, coconutScheme, payload),
);
