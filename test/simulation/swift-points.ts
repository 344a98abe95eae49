/** In place of `lib/frost/points.ts` in bulk runs: no square root twice. */
import { decompress as ownDecompress } from '../../lib/frost/points.ts';
import { nameOfBytes, remembered } from './remembered.ts';

export { compress, readAffine, readOwnAffine, writeAffine } from '../../lib/frost/points.ts';

/** As `lib/frost/points.ts`. */
export const decompress: typeof ownDecompress = remembered(
  ({ name }, bytes) => `${name} ${nameOfBytes(bytes)}`,
  ownDecompress,
);
