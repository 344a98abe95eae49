/** The committee file, accepted only if its hash is the deployed one. */
import { onCommitteeAccepted } from '../../lib/node/coordinator.ts';
import { coordinatorFunction } from '../../lib/node/function.ts';

export const handler = coordinatorFunction('CommitteeAccepted', onCommitteeAccepted);
