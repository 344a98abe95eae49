import type { AssetKey } from '../coconut-keygen/asset-key.ts';
import type { Committee } from '../messages/committee.ts';
import type { TokenScheme } from './scheme.ts';

export function coconutScheme(_key: AssetKey, _committee: Committee, _asset: string): TokenScheme {
  throw new Error('not yet');
}
