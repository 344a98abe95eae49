/** Makes the processor's keys on the first start, write-once, and publishes them on every one. */
import { processorFunction } from '../../lib/node/function.ts';
import { start } from '../../lib/node/membership.ts';

export const handler = processorFunction('Start', start);
