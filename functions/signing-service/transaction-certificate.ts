/** Phase 2: t votes; marks spent, signs the outputs, answers. */
import { processorFunction } from '../../lib/node/function.ts';
import { onTransactionCertificate } from '../../lib/node/tokens.ts';
import { coconutScheme } from '../../lib/signing-service/coconut-scheme.ts';

export const handler = processorFunction('TransactionCertificate', (node, payload, delivery) =>
  onTransactionCertificate(node, coconutScheme, payload, delivery),
);
