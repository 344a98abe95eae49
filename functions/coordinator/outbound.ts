/** Everything that a processor says to other operators, as one parcel for each recipient. */
import { forwardOutbound } from '../../lib/node/coordinator.ts';
import { forwardingFunction } from '../../lib/node/function.ts';

export const handler = forwardingFunction('Outbound', forwardOutbound);
