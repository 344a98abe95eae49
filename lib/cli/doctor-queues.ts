/** The queues that the stacks make for an operator, and what may be wrong with one. */
import { GetQueueAttributesCommand } from '@aws-sdk/client-sqs';
import { queueUrl } from '../aws/queues.ts';
import { CATALOGUE, type Entry, MESSAGE_NAMES } from '../messages/catalogue.ts';
import type { OperatorFile } from '../messages/operator.ts';
import { COORDINATOR_SEGMENT, inboxQueue, topicQueue } from '../messages/topics.ts';
import type { QueueName } from '../ports.ts';
import { asking, type Checkup, good, problem } from './checkup.ts';
import type { DoctorClients, Patient } from './doctor.ts';
import {
  accountsOf,
  callersOf,
  isEverybody,
  isTls,
  type PolicyStatement,
  sameSet,
  sends,
  statementsIn,
} from './doctor-policies.ts';

export const VISIBILITY_SECONDS = 360;
export const MAX_RECEIVES = 10;
interface Wanted {
  readonly name: QueueName;
  readonly senders: 'own' | 'client' | 'gateway' | 'peer';
  /** Whose account may send, for an inbox. */
  readonly account?: string;
  readonly function: boolean;
}

/** Every queue that the stacks make for this operator. */
export function queuesOf({ operator, committee }: Pick<Patient, 'operator' | 'committee'>): readonly Wanted[] {
  const { identity, coins, assets, outcomeQueue } = operator;
  const wanted: Wanted[] = [];
  for (const message of MESSAGE_NAMES) {
    const { consumers, queue, senders }: Entry = CATALOGUE[message];
    if (queue !== 'topic') continue;
    const from = senders.includes('client') ? 'client' : senders.includes('gateway') ? 'gateway' : 'own';
    const heard = (segments: readonly string[]) =>
      segments.map(
        (segment): Wanted => ({ name: topicQueue(identity, segment, message), senders: from, function: true }),
      );
    if (consumers.includes('processor')) wanted.push(...heard(coins));
    if (consumers.includes('signing-service')) wanted.push(...heard(assets));
    if (consumers.includes('coordinator'))
      wanted.push(...heard(senders.includes('processor') ? [...coins, ...assets] : [COORDINATOR_SEGMENT]));
  }
  for (const segment of [...coins, ...assets]) {
    wanted.push({ name: topicQueue(identity, segment, 'Outbound'), senders: 'own', function: true });
    if (outcomeQueue === undefined)
      wanted.push({ name: topicQueue(identity, segment, 'MultisigEvent'), senders: 'own', function: false });
  }
  for (const peer of committee?.file.operators ?? []) {
    if (peer.identity === identity) continue;
    wanted.push({ name: inboxQueue(identity, peer.identity), senders: 'peer', account: peer.account, function: true });
  }
  return wanted;
}

export async function queueCheck(
  { operator, endpoint }: Patient,
  wanted: Wanted,
  { sqs }: DoctorClients,
): Promise<Checkup[]> {
  const { name } = wanted;
  const { account, region } = operator;
  const missing =
    wanted.senders === 'peer'
      ? 'Deploy the inbox stack (coterie deploy --committee …): until then that operator cannot reach this one.'
      : 'Deploy the stack that makes it.';
  return asking(name, missing, async () => {
    const { Attributes = {} } = await sqs.send(
      new GetQueueAttributesCommand({
        QueueUrl: queueUrl({ account, region, name }, endpoint),
        AttributeNames: ['All'],
      }),
    );
    const found: Checkup[] = [];
    const redeploy = 'Deploy the stack again.';
    const visibility = Number(Attributes['VisibilityTimeout']);
    if (wanted.function && visibility < VISIBILITY_SECONDS)
      found.push(
        problem(
          name,
          `messages come again after ${visibility} s, expected ${VISIBILITY_SECONDS}`,
          `${redeploy} A batch that is still being handled is handed out twice.`,
        ),
      );
    const redrive = Attributes['RedrivePolicy'];
    const receives =
      redrive === undefined
        ? undefined
        : Number((JSON.parse(redrive) as { maxReceiveCount?: unknown }).maxReceiveCount);
    if (receives === undefined)
      found.push(
        problem(name, 'has no dead-letter queue', `${redeploy} What cannot be handled is lost after its retention.`),
      );
    else if (wanted.function && receives !== MAX_RECEIVES)
      found.push(problem(name, `gives up after ${receives} receives, expected ${MAX_RECEIVES}`, redeploy));
    if (Attributes['SqsManagedSseEnabled'] === 'false' && Attributes['KmsMasterKeyId'] === undefined)
      found.push(problem(name, 'is not encrypted at rest', redeploy));
    found.push(...admissionOf(operator, wanted, Attributes['Policy']));
    return found.length > 0 ? found : [good(name, 'attributes and policy are as they should be')];
  });
}

function admissionOf(
  { clientRoles, gateways }: OperatorFile,
  { name, senders, account }: Wanted,
  text: string | undefined,
): Checkup[] {
  const statements = text === undefined ? [] : statementsIn(JSON.parse(text));
  const found: Checkup[] = [];
  const redeploy = 'Deploy the stack again.';
  if (!statements.some(isTls))
    found.push(problem(name, 'takes messages without TLS', `${redeploy} On an emulator without TLS this is meant.`));
  const anybody = statements.find(
    ({ Effect, Principal, Condition }) => Effect === 'Allow' && isEverybody(Principal) && !Condition,
  );
  if (anybody)
    found.push(
      problem(
        name,
        'lets everybody in',
        `Remove the statement ${anybody.Sid ?? 'without a name'} from its policy at once.`,
      ),
    );
  const admission = statements.filter(({ Action }) => sends(Action));
  const callers = (effect: 'Allow' | 'Deny') => admission.filter(({ Effect }) => Effect === effect).flatMap(callersOf);
  switch (senders) {
    case 'own':
      return found;
    case 'gateway':
      // Without a gateway the stack says nothing, and the account's own roles may send to what answers nobody.
      return gateways.length === 0 ? found : [...found, ...gatewaysOnly(name, gateways, admission)];
    case 'client':
    case 'peer':
      break;
  }
  const [allowed, denied] = [callers('Allow'), callers('Deny')];
  const expected = senders === 'client' ? clientRoles : undefined;
  const right = expected
    ? sameSet(allowed, expected)
    : allowed.length > 0 && allowed.every((caller) => caller.split(':')[4] === account);
  if (!right)
    found.push(
      problem(
        name,
        `admits ${allowed.join(', ') || 'nobody'}, expected ${expected ? expected.join(', ') : `the coordinator in account ${account}`}`,
        `${redeploy} ${senders === 'client' ? 'Whoever may send here may ask for signatures.' : ''}`.trim(),
      ),
    );
  if (!sameSet(denied, allowed))
    found.push(
      problem(name, 'does not deny everybody else', `${redeploy} The account’s own administrators could send.`),
    );
  return found;
}

/** A gateway is known by its account: whoever may use that may send. */
function gatewaysOnly(name: QueueName, gateways: readonly string[], admission: readonly PolicyStatement[]): Checkup[] {
  const expected = [...new Set(gateways.map((arn) => arn.split(':')[4] ?? ''))];
  const accounts = (effect: 'Allow' | 'Deny') =>
    admission.filter(({ Effect }) => Effect === effect).flatMap(accountsOf);
  const [allowed, denied] = [accounts('Allow'), accounts('Deny')];
  const redeploy = 'Deploy the stack again.';
  const found: Checkup[] = [];
  if (!sameSet(allowed, expected))
    found.push(
      problem(
        name,
        `admits ${allowed.join(', ') || 'nobody'}, expected the gateways’ accounts ${expected.join(', ')}`,
        redeploy,
      ),
    );
  if (!sameSet(denied, expected))
    found.push(
      problem(name, 'does not deny everybody but the gateways', `${redeploy} The account’s own roles could send.`),
    );
  return found;
}
