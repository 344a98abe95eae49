/** Phase 1: checks transactions, locks what they consume, and votes. */
import { running } from '../../lib/node/function.ts';
import type { ProcessorConfig } from '../../lib/node/node.ts';
import { onTransactions } from '../../lib/node/tokens.ts';
import { coconutScheme } from '../../lib/signing-service/coconut-scheme.ts';

export const handler = running<ProcessorConfig>('processor', 'Transaction', (node, batch) =>
  onTransactions(node, coconutScheme, batch),
);
