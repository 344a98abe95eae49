/** A parcel from the peer whose queue this is, put on the topic as the matching message. */
import { receiveParcels } from '../../lib/node/coordinator.ts';
import { forwardingFunction } from '../../lib/node/function.ts';

export const handler = forwardingFunction('P2PIncoming', receiveParcels);
