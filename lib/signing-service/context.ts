/** What a verifier of transactions knows by itself. */
import type { CoconutParameters } from '../coconut/coconut.ts';
import type { VerificationKey } from '../coconut/keys.ts';
import type { TransactionContext } from '../coconut/transaction-proof.ts';
import type { Committee } from '../messages/committee.ts';

/** What every challenge of an asset's transactions contains, from the accepted committee file and its key. */
export function contextOf(
  committee: Committee,
  asset: string,
  parameters: CoconutParameters,
  key: VerificationKey,
): TransactionContext {
  const held = Object.hasOwn(committee.file.assets, asset) ? committee.file.assets[asset] : undefined;
  if (!held) throw new Error(`the committee has no asset ${asset}`);
  const { keys, required } = held.depositors;
  return {
    network: committee.file.network,
    committee: committee.id,
    asset,
    epoch: held.epoch,
    parameters,
    key,
    depositors: { keys, required },
  };
}
