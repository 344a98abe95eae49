/** The own client asks for a key or a signature. */
import { processorFunction } from '../../lib/node/function.ts';
import { onMultisigInstruction, refuseMalformed } from '../../lib/node/instructions.ts';

export const handler = processorFunction(
  'MultisigInstruction',
  (node, payload, { messageId }) => onMultisigInstruction(node, payload, messageId),
  refuseMalformed,
);
