/** Makes the coordinator's messaging key on the first start, write-once, and publishes it on every one. */
import { start } from '../../lib/node/coordinator.ts';
import { coordinatorFunction } from '../../lib/node/function.ts';

export const handler = coordinatorFunction('Start', start);
