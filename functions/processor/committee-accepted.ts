/** The committee file, accepted only if its hash is the deployed one. */
import { processorFunction } from '../../lib/node/function.ts';
import { onCommitteeAccepted } from '../../lib/node/membership.ts';

export const handler = processorFunction('CommitteeAccepted', onCommitteeAccepted);
