/** Says again what could not be said when it was due. */
import { onWake } from '../../lib/node/coordinator.ts';
import { coordinatorFunction } from '../../lib/node/function.ts';

export const handler = coordinatorFunction('Wake', onWake);
