/** A ceremony begins: by the own client's instruction, or by the committee file's genesis; never by a peer. */
import * as keygen from '../keygen/step.ts';
import type { Hex } from '../messages/hex.ts';
import {
  type CeremonyParameters,
  ceremonyId,
  type KeygenParameters,
  type SigningParameters,
} from '../messages/parameters.ts';
import * as signing from '../signing/step.ts';
import { advanceIn, openShare, signingCertificate, type Visit, visiting } from './advance.ts';
import { commit, resend } from './commit.ts';
import { PUBLIC_TTL_SECONDS } from './lifetimes.ts';
import { loadState } from './load.ts';
import type { Processor } from './node.ts';
import { requestKey } from './rows.ts';
import { keepStrays } from './strays.ts';

/**
 * What became of an authorisation. `known`: this very instruction began it (a redelivery). `repeated`: another instruction with the same words; the ceremony
 * is what it is. `mismatch`: the request id belongs to a ceremony with other parameters.
 */
export type Authorised =
  | { readonly kind: 'begun' | 'known' | 'repeated'; readonly ceremony: Hex }
  | { readonly kind: 'mismatch'; readonly ceremony: Hex };

/** @param origin the SQS message id of the instruction, or `genesis`: tells a redelivery from a repetition */
export async function authoriseKeygen(
  node: Processor,
  parameters: KeygenParameters,
  origin: string,
): Promise<Authorised> {
  const ceremony = ceremonyId(parameters);
  return authorised(node, parameters, ceremony, origin, async (visit) => {
    if (await loadState(node, ceremony)) return;
    const secret = node.random(32);
    const sealing = { secret, publicKey: await node.sealer.publicKeyOf(secret) };
    const transition = keygen.begin(parameters, visit.member, sealing, node.random);
    const done = await commit(node, undefined, transition, visit.secrets);
    if (done.kind !== 'committed') node.log('CommitRefused', { ceremony, stage: 'begin' });
  });
}

/** @throws if the key is not certified here: the caller has checked */
export async function authoriseSigning(
  node: Processor,
  parameters: SigningParameters,
  origin: string,
): Promise<Authorised> {
  const ceremony = ceremonyId(parameters);
  return authorised(node, parameters, ceremony, origin, async (visit) => {
    const certificate = await signingCertificate(node, parameters.keyId);
    if (!certificate) throw new Error(`key ${parameters.keyId} is not certified here`);
    const share = await openShare(node, parameters.keyId);
    let refusedAt = -1;
    try {
      for (;;) {
        const stored = await loadState(node, ceremony);
        if (stored && stored.state.kind !== 'signing')
          throw new Error(`ceremony ${ceremony} is not a signing ceremony`);
        if ((stored?.version ?? 0) === refusedAt) {
          // Nobody else moved it: something that this would say was said already, in a life that this table does not remember.
          return node.log('CommitRefused', { ceremony, stage: 'authorise' });
        }
        const result = signing.authorise(
          stored?.state.kind === 'signing' ? stored.state : undefined,
          parameters,
          { certificate, share },
          node.now(),
          visit.member,
          node.random,
        );
        if (result.kind !== 'changed') return;
        const done = await commit(node, stored, result.transition, visit.secrets);
        if (done.kind === 'committed') return;
        refusedAt = stored?.version ?? 0;
      }
    } finally {
      share.wipe();
    }
  });
}

async function authorised(
  node: Processor,
  parameters: CeremonyParameters,
  ceremony: Hex,
  origin: string,
  begin: (visit: Visit) => Promise<void>,
): Promise<Authorised> {
  const key = requestKey(parameters.kind, parameters.requestId);
  const known = await node.ports.store.get('Ceremonies', key);
  if (known && known['ceremony'] !== ceremony) return { kind: 'mismatch', ceremony: known['ceremony'] as Hex };
  // Without a state whoever wrote the row died before it began: this instruction begins it.
  if (known && known['origin'] !== origin && (await loadState(node, ceremony))) return { kind: 'repeated', ceremony };
  // Written first and alone: whoever holds the request id decides which parameters it stands for, whatever crashes after it.
  const item = { ...key, ceremony, origin, ttl: parameters.expiresAt + PUBLIC_TTL_SECONDS };
  if (!known) {
    const result = await node.ports.store.write({
      kind: 'put',
      table: 'Ceremonies',
      item,
      condition: { kind: 'absent' },
    });
    if (!result.committed) return authorised(node, parameters, ceremony, origin, begin);
  }
  await visiting(node, ceremony, async (visit) => {
    await begin(visit);
    // Once the state is there: what came before it was written as a stray, and whatever comes after it sees it.
    await keepStrays(node, ceremony, parameters);
    await advanceIn(visit, ceremony);
  });
  if (known) await resend(node, ceremony);
  return { kind: known ? 'known' : 'begun', ceremony };
}
