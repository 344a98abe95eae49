/** The own coordinator's messaging key, to which `SignerReady` is sealed. */
import { processorFunction } from '../../lib/node/function.ts';
import { onCoordinatorPublicKey } from '../../lib/node/membership.ts';

export const handler = processorFunction('CoordinatorPublicKey', onCoordinatorPublicKey);
