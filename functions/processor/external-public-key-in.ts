/** A peer's messaging key; with the last of them key generation may begin. */
import { processorFunction } from '../../lib/node/function.ts';
import { onExternalPublicKey } from '../../lib/node/membership.ts';

export const handler = processorFunction('ExternalPublicKeyIn', onExternalPublicKey);
