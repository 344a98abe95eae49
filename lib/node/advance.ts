/**
 * Steps a ceremony until nothing changes: inputs of the next stage may already lie there, and nobody else will wake it.
 */
import type { Inputs, Member, SecretName, StepResult, Wanted } from '../ceremony.ts';
import { startEngine } from '../coconut-keygen/engine.ts';
import * as keygen from '../keygen/step.ts';
import type { Certificate, FrostCertificate } from '../messages/certificate.ts';
import type { Hex } from '../messages/hex.ts';
import { COCONUT_SUITE } from '../messages/parameters.ts';
import type { Decision } from '../signing/policy.ts';
import * as signing from '../signing/step.ts';
import type { Secret } from '../vault/secret.ts';
import { commit, wakeMessage } from './commit.ts';
import { type CeremonyState, loadInputs, loadState, SecretsOf, type Stored } from './load.ts';
import { memberOf, type Processor } from './node.ts';
import { longTermShareKey, publicKeyKey } from './rows.ts';
import { asked, kept } from './withdrawals.ts';

/** Lost races and stages of one visit; a ceremony has fewer, and a hostile one does not spin. */
const MAX_STEPS = 64;
/** When it is looked whether all has left that a ceremony said at its end. */
const ENDED_SECONDS = 60;

/** What one visit to a ceremony knows and has opened. */
export interface Visit {
  readonly node: Processor;
  readonly member: Member;
  readonly secrets: SecretsOf;
  /** `armed`: an attempt before this one may have sent the next `Wake`, so it is sent after what it is for, and by the rule if that fails again. */
  readonly wake?: 'armed' | 'unarmed';
}

/** Opens the signature key, runs `visit`, and wipes whatever it opened, however it ends. */
export async function visiting<T>(node: Processor, ceremony: Hex, visit: (visit: Visit) => Promise<T>): Promise<T> {
  const committee = await node.committee();
  if (!committee) throw new Error('no committee is accepted yet');
  if (committee.keyOf(node.config.coin)?.suite === COCONUT_SUITE) await startEngine();
  const secrets = new SecretsOf(node, ceremony);
  try {
    const member = memberOf(committee, node.config, await secrets.own('SIGNATURE'));
    return await visit({ node, member, secrets });
  } finally {
    await secrets.wipe();
  }
}

/** Advances an existing ceremony as far as what has arrived allows. */
export async function advance(node: Processor, ceremony: Hex, wake: Visit['wake'] = 'unarmed'): Promise<void> {
  await visiting(node, ceremony, (visit) => advanceIn({ ...visit, wake }, ceremony));
}

export async function advanceIn(visit: Visit, ceremony: Hex): Promise<void> {
  let refusedAt: number | undefined;
  for (let steps = 0; steps < MAX_STEPS; steps++) {
    const stored = await loadState(visit.node, ceremony);
    if (!stored) return;
    if (stored.version === refusedAt) {
      // Nobody else moved it, so a row that this step would write once is there already (a restored table): nothing is said a second time.
      visit.node.log('CommitRefused', { ceremony, stage: stored.state.stage });
      return;
    }
    const result = await stepOnce(visit, stored);
    if (result.kind !== 'changed') return;
    // What ends is not due again, and the rule that found it comes for nothing else: what it says has a `Wake` of its own, should no queue take it now.
    if (visit.wake === 'armed' && !stored.stuck && result.transition.wakeAt === undefined)
      await visit.node.send([wakeMessage(visit.node, ceremony, visit.node.now() + ENDED_SECONDS)]);
    const previous = visit.wake === 'armed' ? { ...stored, stuck: true } : stored;
    const committed = await commit(visit.node, previous, result.transition, visit.secrets);
    visit.secrets.forget();
    if (committed.kind === 'held') return;
    if (committed.kind === 'lost') refusedAt = stored.version;
  }
  visit.node.log('StepsExhausted', { ceremony });
}

async function stepOnce(visit: Visit, stored: Stored): Promise<StepResult<CeremonyState>> {
  const { state } = stored;
  switch (state.kind) {
    case 'keygen':
      return satisfied(visit, state, keygen.wants(state), (inputs, secrets) =>
        keygen.step(state, inputs, secrets, visit.node.now(), visit.member, visit.node.random),
      );
    case 'signing': {
      const certificate = await signingCertificate(visit.node, state.parameters.keyId);
      if (!certificate) return { kind: 'unchanged' };
      const decision = await asked(visit.node, state.parameters, await kept(visit.node, state.ceremony));
      return satisfied(visit, state, signing.wants(state), (inputs, secrets, share) =>
        signing.step(
          state,
          inputs,
          secrets,
          { certificate, share },
          () => told(visit.node, decision),
          visit.node.now(),
          visit.member,
          visit.node.random,
        ),
      );
    }
  }
}

interface Wanting {
  readonly statements: readonly Wanted[];
  readonly secrets: readonly SecretName[];
}

/** Runs a step with what it wants, and again with what it then needs; a need that cannot be met leaves the ceremony as it is. */
async function satisfied(
  visit: Visit,
  state: CeremonyState,
  wanting: Wanting,
  run: (
    inputs: Inputs,
    secrets: ReadonlyMap<SecretName, Secret>,
    share: Secret | undefined,
  ) => StepResult<CeremonyState>,
): Promise<StepResult<CeremonyState>> {
  const { node, secrets } = visit;
  const { ceremony, parameters } = state;
  let want = wanting;
  let share: Secret | undefined;
  let inputs: Inputs | undefined;
  try {
    for (let round = 0; round < 3; round++) {
      inputs ??= await loadInputs(node, ceremony, want.statements, secrets, parameters);
      const result = run(inputs, await secrets.rows(want.secrets), share);
      if (result.kind !== 'needs') return result;
      // What has been read and opened is not read again for a secret alone: what came meanwhile has a visit of its own.
      if (result.statements?.length) inputs = undefined;
      want = {
        statements: [...want.statements, ...(result.statements ?? [])],
        secrets: [...want.secrets, ...(result.secrets ?? [])],
      };
      if (result.share && !share && state.kind === 'signing') share = await openShare(node, state.parameters.keyId);
    }
    node.log('StepUnsatisfied', { ceremony, stage: state.stage });
    return { kind: 'unchanged' };
  } finally {
    share?.wipe();
  }
}

// ------------------------------------------------------------------------------------------------ keys and policy

/** The certificate of a key that may sign, or nothing: an unconfirmed or hidden key does not exist for a signer. */
export async function certifiedKey(node: Processor, keyId: Hex): Promise<Certificate | undefined> {
  const row = await node.ports.store.get('Keys', publicKeyKey(keyId));
  return row?.['status'] === 'certified' ? (JSON.parse(row['certificate'] as string) as Certificate) : undefined;
}

/** The certificate of a key that signs messages: an asset's key, whose shares are of another kind, does not exist for a signing ceremony. */
export async function signingCertificate(node: Processor, keyId: Hex): Promise<FrostCertificate | undefined> {
  const certificate = await certifiedKey(node, keyId);
  return certificate && 'verifyingShares' in certificate ? certificate : undefined;
}

/** @throws if the share is not there: the key's row says that it is */
export async function openShare(node: Processor, keyId: Hex): Promise<Secret> {
  const row = await node.ports.store.get('Keys', longTermShareKey(keyId));
  const blob = row?.['blob'];
  if (!(blob instanceof Uint8Array)) throw new Error(`the share of key ${keyId} is not stored here`);
  return node.vault.unwrap({ kind: 'key', id: keyId }, 'SHARE', blob);
}

function told(node: Processor, decision: Decision): Decision {
  if (decision.kind === 'refuse') node.log('PolicyRefused', { reason: decision.reason });
  return decision;
}
