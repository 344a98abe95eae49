/** What the own client asks for: a key, a signature, or one of the operator's switches. Every refusal is told, with what was expected. */
import * as keygen from '../keygen/step.ts';
import { bodyOf, type Payload } from '../messages/catalogue.ts';
import type { Committee } from '../messages/committee.ts';
import { refusedEvent } from '../messages/events.ts';
import type { Hex } from '../messages/hex.ts';
import { checkInstructionSignatures } from '../messages/instructions.ts';
import {
  COCONUT_SUITE,
  ceremonyId,
  type KeygenParameters,
  maximumMessages,
  type SigningParameters,
} from '../messages/parameters.ts';
import * as signing from '../signing/step.ts';
import { signingCertificate, visiting } from './advance.ts';
import { type Authorised, authoriseKeygen, authoriseSigning } from './authorise.ts';
import { commit, resend } from './commit.ts';
import { MAX_LIFE_SECONDS } from './lifetimes.ts';
import { loadState } from './load.ts';
import { ownIndex, type Processor } from './node.ts';
import { ASSET_KEY, HALT, publicKeyKey } from './rows.ts';
import { wakeOpenCeremonies } from './wake.ts';
import { keepWithdrawal, asked as policyOn, shown } from './withdrawals.ts';

export interface Refusal {
  readonly reason: 'Expired' | 'Unauthorised' | 'ConfigurationMismatch' | 'UnknownKey' | 'Repeated' | 'Malformed';
  readonly detail: string;
}

type Answer<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly refusal: Refusal };

/** @param messageId of the SQS message: a redelivery is not a repetition */
export async function onMultisigInstruction(
  node: Processor,
  payload: Payload<'MultisigInstruction'>,
  messageId: string,
): Promise<void> {
  const committee = await node.committee();
  const tell = (refusal: Refusal): Promise<void> => refuse(node, committee, refusal, requestIdOf(payload));
  if (!committee)
    return tell({ reason: 'Unauthorised', detail: 'expected an accepted committee file, there is none yet' });
  const { instructionKeys } = node.config;
  const scope = { committee: committee.id, coin: node.config.coin };
  if (instructionKeys && !checkInstructionSignatures(payload, scope, instructionKeys)) {
    const detail = `expected ${instructionKeys.required} valid signatures of the operator's instruction keys`;
    return tell({ reason: 'Unauthorised', detail });
  }
  if ('KeyGen' in payload) {
    const parameters = keygenParameters(node, committee, payload.KeyGen);
    if (!parameters.ok) return tell(parameters.refusal);
    const second = await secondAssetKey(node, parameters.value);
    if (second) return tell(second);
    return report(await authoriseKeygen(node, parameters.value, messageId), tell);
  }
  const parameters = await signingParameters(node, committee, payload.Sign);
  if (!parameters.ok) return tell(parameters.refusal);
  const withdrawal = await shown(node, payload.Sign.withdrawal);
  if (withdrawal) {
    const { expiresAt } = parameters.value;
    await keepWithdrawal(node, ceremonyId(parameters.value), withdrawal, expiresAt);
  }
  return report(await authoriseSigning(node, parameters.value, messageId), tell);
}

/** A body that is no instruction at all: the client hears that, too. */
export async function refuseMalformed(node: Processor, detail: string): Promise<void> {
  await refuse(node, await node.committee(), { reason: 'Malformed', detail }, undefined);
}

async function report(result: Authorised, tell: (refusal: Refusal) => Promise<void>): Promise<void> {
  switch (result.kind) {
    case 'begun':
    case 'known':
      return;
    case 'repeated':
      return tell({
        reason: 'Repeated',
        detail: `expected a new requestId, got that of ceremony ${result.ceremony}, which runs once`,
      });
    case 'mismatch':
      return tell({
        reason: 'ConfigurationMismatch',
        detail: `expected the parameters of ceremony ${result.ceremony}, got others under the same requestId`,
      });
  }
}

async function refuse(
  node: Processor,
  committee: Committee | undefined,
  refusal: Refusal,
  requestId: Hex | undefined,
): Promise<void> {
  node.log('InstructionRefused', { reason: refusal.reason });
  const { outcomeQueue, coin, identity } = node.config;
  if (!outcomeQueue) return;
  const operator = committee ? ownIndex(committee, identity) : 0;
  const event = refusedEvent({ operator, coin, ...refusal, ...(requestId ? { requestId } : {}) });
  await node.send([{ queue: outcomeQueue, body: bodyOf('MultisigEvent', event) }]);
}

function requestIdOf(payload: Payload<'MultisigInstruction'>): Hex {
  return 'KeyGen' in payload ? payload.KeyGen.requestId : payload.Sign.requestId;
}

type KeyGen = Extract<Payload<'MultisigInstruction'>, { KeyGen: unknown }>['KeyGen'];
type Sign = Extract<Payload<'MultisigInstruction'>, { Sign: unknown }>['Sign'];

/** Suite and threshold are the committee file's: an instruction repeats them and cannot weaken them (attack CTX-09). */
function keygenParameters(node: Processor, committee: Committee, asked: KeyGen): Answer<KeygenParameters> {
  const { coin } = node.config;
  const held = committee.keyOf(coin);
  const no = (reason: Refusal['reason'], detail: string) => ({ ok: false, refusal: { reason, detail } }) as const;
  const expired = lifetime(node, asked.expiresAt);
  if (expired) return { ok: false, refusal: expired };
  if (!held || asked.coin !== coin) return no('ConfigurationMismatch', `expected coin ${coin}, got ${asked.coin}`);
  if (asked.suite !== held.suite)
    return no('ConfigurationMismatch', `expected suite ${held.suite}, got ${asked.suite}`);
  if (asked.t !== held.t)
    return no('ConfigurationMismatch', `expected t = ${held.t} (the committee file), got ${asked.t}`);
  const members = committee.signersOf(coin);
  const self = ownIndex(committee, node.config.identity);
  if (
    !asked.signers.every((index) => members.includes(index)) ||
    asked.signers.length < asked.t ||
    !asked.signers.includes(self)
  ) {
    return no(
      'ConfigurationMismatch',
      `expected at least ${asked.t} of the signers ${members.join(', ')}, this operator (${self}) among them`,
    );
  }
  const { t, signers, requestId, expiresAt } = asked;
  return {
    ok: true,
    value: {
      kind: 'keygen',
      committee: committee.id,
      coin,
      suite: held.suite,
      t,
      signers: [...signers],
      requestId,
      expiresAt,
    },
  };
}

/**
 * One key for each asset and epoch: a committee that made two would strand the tokens of one. Any two sets of t services have an honest one in common (2t > n + f), which
 * takes part in one ceremony only, whatever the clients ask for.
 */
async function secondAssetKey(node: Processor, parameters: KeygenParameters): Promise<Refusal | undefined> {
  if (parameters.suite !== COCONUT_SUITE) return undefined;
  const held = await node.ports.store.get('Keys', ASSET_KEY);
  // A redelivery of the instruction that made it is none that asks for another.
  if (!held || (await loadState(node, ceremonyId(parameters)))) return undefined;
  const detail = `expected no key of ${parameters.coin} in this epoch, got ${held['keyId']}: an unresolved one can be given up with Abandon`;
  return { reason: 'ConfigurationMismatch', detail };
}

async function signingParameters(
  node: Processor,
  committee: Committee,
  asked: Sign,
): Promise<Answer<SigningParameters>> {
  const { coin } = node.config;
  const expired = lifetime(node, asked.expiresAt);
  if (expired) return { ok: false, refusal: expired };
  const certificate = await signingCertificate(node, asked.keyId);
  if (!certificate) {
    const row = await node.ports.store.get('Keys', publicKeyKey(asked.keyId));
    const status = typeof row?.['status'] === 'string' ? `, which is ${row['status']}` : ', which is not known here';
    return {
      ok: false,
      refusal: { reason: 'UnknownKey', detail: `expected a certified ${coin} key, got ${asked.keyId}${status}` },
    };
  }
  const { suite, t, signers } = certificate.parameters;
  const most = maximumMessages(t);
  if (asked.messages.length > most) {
    const detail = `expected 1 to ${most} messages at threshold ${t}, got ${asked.messages.length}`;
    return { ok: false, refusal: { reason: 'Malformed', detail } };
  }
  const { keyId, messages, purpose, requestId, expiresAt } = asked;
  // Asked here as well as at the release: a signer that will not answer must not take a place among t.
  const policy = await policyOn(node, asked, await shown(node, asked.withdrawal));
  if (policy.kind === 'refuse') return { ok: false, refusal: { reason: 'Unauthorised', detail: policy.reason } };
  const committeeId = committee.id;
  return {
    ok: true,
    value: {
      kind: 'signing',
      committee: committeeId,
      coin,
      suite,
      t,
      signers,
      keyId,
      messages: [...messages],
      purpose,
      requestId,
      expiresAt,
    },
  };
}

function lifetime(node: Processor, expiresAt: number): Refusal | undefined {
  const now = node.now();
  if (expiresAt <= now) return { reason: 'Expired', detail: `expected expiresAt after ${now}, got ${expiresAt}` };
  if (expiresAt > now + MAX_LIFE_SECONDS) {
    return {
      reason: 'Malformed',
      detail: `expected expiresAt within ${MAX_LIFE_SECONDS} s of ${now}, got ${expiresAt}`,
    };
  }
  return undefined;
}

/** The operator's switches. */
export async function onControl(node: Processor, payload: Payload<'Control'>): Promise<void> {
  const { instructionKeys, coin } = node.config;
  const committee = (await node.committee())?.id;
  if (instructionKeys && !(committee && checkInstructionSignatures(payload, { committee, coin }, instructionKeys)))
    return node.log('ControlRefused', { reason: 'signatures' });
  if ('Halt' in payload) {
    await node.ports.store.write({ kind: 'put', table: 'Keys', item: { ...HALT, since: node.now() } });
    node.log('Halted');
  } else if ('Release' in payload) {
    await node.ports.store.write({ kind: 'delete', table: 'Keys', key: HALT });
    node.log('Released');
    await wakeOpenCeremonies(node, Number.MAX_SAFE_INTEGER);
  } else if ('Abandon' in payload) {
    await abandon(node, payload.Abandon.ceremony);
  } else {
    await wakeOpenCeremonies(node, node.now());
  }
}

async function abandon(node: Processor, ceremony: Hex): Promise<void> {
  await visiting(node, ceremony, async ({ member, secrets }) => {
    for (let refusedAt = 0; ; ) {
      const stored = await loadState(node, ceremony);
      if (!stored) return node.log('AbandonIgnored', { ceremony, reason: 'unknown' });
      if (stored.version === refusedAt) return node.log('CommitRefused', { ceremony, stage: stored.state.stage });
      const { state } = stored;
      const result = state.kind === 'keygen' ? keygen.abandon(state, member) : signing.abandon(state, member);
      if (result.kind !== 'changed') break;
      const done = await commit(node, stored, result.transition, secrets);
      if (done.kind === 'committed') return;
      refusedAt = stored.version;
    }
  });
  // It was abandoned before, perhaps by this very message, and what that said may not have left.
  await resend(node, ceremony);
}
