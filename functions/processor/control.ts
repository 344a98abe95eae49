/** The operator's switches: halt, release, abandon, clean up. */
import { processorFunction } from '../../lib/node/function.ts';
import { onControl } from '../../lib/node/instructions.ts';

export const handler = processorFunction('Control', onControl);
