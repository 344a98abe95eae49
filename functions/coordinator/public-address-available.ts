/** A new key of the own processor enters the directory. */
import { onPublicAddressAvailable } from '../../lib/node/coordinator.ts';
import { coordinatorFunction } from '../../lib/node/function.ts';

export const handler = coordinatorFunction('PublicAddressAvailable', onPublicAddressAvailable);
