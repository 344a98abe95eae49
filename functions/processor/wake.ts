/** Deadlines, leader periods and re-sends. */
import { processorFunction } from '../../lib/node/function.ts';
import { onWake } from '../../lib/node/wake.ts';

export const handler = processorFunction('Wake', onWake);
