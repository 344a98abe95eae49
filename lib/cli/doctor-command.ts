/** `coterie doctor`, between the command line and the examination. */
import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { dynamoClient, kmsClient, sqsClients } from '../aws/clients.ts';
import type { Committee } from '../messages/committee.ts';
import { COORDINATOR_SEGMENT } from '../messages/topics.ts';
import { COMMITTEE } from '../node/rows.ts';
import { committeeOf } from '../view/committee-rows.ts';
import type { Checkup } from './checkup.ts';
import { readCommitteeFile } from './deploy-files.ts';
import { examine } from './doctor.ts';
import { STATUS, type Status, Unreachable } from './exit-status.ts';
import type { Place } from './place.ts';
import { atPlace, operatorsAt, type PlaceOptions } from './place-options.ts';

export interface DoctorOptions extends PlaceOptions {
  readonly committee?: string;
  readonly all?: boolean;
}

/** @returns 1 if there is a problem */
export async function doctor(options: DoctorOptions): Promise<Status> {
  return atPlace(options, async (place) => {
    const found = place.file ? await examineAws(place, options) : await examineEmbedded(place, options);
    const problems = found.filter(({ result }) => result === 'problem');
    if (options.json) process.stdout.write(`${JSON.stringify({ v: 1, findings: found })}\n`);
    else process.stdout.write(`${text(found, options.all ?? false)}\n`);
    return problems.length > 0 ? STATUS.failed : STATUS.ok;
  });
}

const MARKS = { good: '✓', problem: '✗', unknown: '?' } as const;

function text(found: readonly Checkup[], all: boolean): string {
  const lines = found
    .filter(({ result }) => all || result !== 'good')
    .flatMap(({ result, subject, what, remedy }) => [
      `${MARKS[result]} ${subject}: ${what}`,
      ...(remedy === undefined ? [] : [`    ${remedy}`]),
    ]);
  const count = (result: Checkup['result']) => found.filter((each) => each.result === result).length;
  return [...lines, `${count('good')} good, ${count('problem')} problems, ${count('unknown')} not told`].join('\n');
}

async function examineAws(place: Place, options: DoctorOptions): Promise<readonly Checkup[]> {
  const { file: operator } = place;
  if (!operator) return [];
  const endpoint = process.env['AWS_ENDPOINT_URL'] || undefined;
  const where = { region: operator.region, endpoint };
  const segments = [COORDINATOR_SEGMENT, ...operator.coins, ...operator.assets];
  // What cannot be read is one finding among others: a doctor who needs a healthy patient helps nobody.
  const unread: Checkup[] = [];
  const accepted = new Map<string, Committee | undefined>();
  await Promise.all(
    segments.map(async (segment) => {
      try {
        accepted.set(segment, committeeOf(await place.reader(operator.identity, segment).get('Directory', COMMITTEE)));
      } catch (error) {
        if (!(error instanceof Unreachable)) throw error;
        unread.push({ result: 'unknown', subject: `committee of ${segment}`, what: 'its directory could not be read' });
      }
    }),
  );
  const known = [...accepted.values()].find((committee) => committee !== undefined);
  const dynamo = dynamoClient(where);
  const found = await examine(
    {
      operator,
      committee: options.committee === undefined ? known : readCommitteeFile(options.committee),
      accepted: new Map([...accepted].map(([segment, committee]) => [segment, committee?.id])),
      endpoint,
    },
    {
      dynamo,
      sqs: sqsClients({ endpoint })(operator.region),
      kms: kmsClient(where),
      date: () => dateOf(dynamo),
      now: Date.now,
    },
  );
  return [...unread, ...found];
}

/** `Date` of one answer, whatever the answer is. */
async function dateOf(client: DynamoDBClient): Promise<number | undefined> {
  let date: string | undefined;
  client.middlewareStack.add(
    (next) => async (args) => {
      const result = await next(args);
      const { headers } = result.response as { headers?: Record<string, string> };
      date = headers?.['date'];
      return result;
    },
    { step: 'deserialize', name: 'coterieDate', override: true, priority: 'low' },
  );
  const { DescribeLimitsCommand } = await import('@aws-sdk/client-dynamodb');
  await client.send(new DescribeLimitsCommand({})).catch(() => {});
  const told = date === undefined ? Number.NaN : Date.parse(date);
  return Number.isNaN(told) ? undefined : told;
}

/** One process and one clock: what can be wrong there is that operators disagree. */
async function examineEmbedded(place: Place, { as, committee }: DoctorOptions): Promise<readonly Checkup[]> {
  const agreed = committee === undefined ? undefined : readCommitteeFile(committee).id;
  const accepted = await Promise.all(
    operatorsAt(place, as).flatMap(({ identity, coins }) =>
      [COORDINATOR_SEGMENT, ...coins].map(async (segment) => ({
        subject: `${identity} ${segment}`,
        id: committeeOf(await place.reader(identity, segment).get('Directory', COMMITTEE))?.id,
      })),
    ),
  );
  const expected = agreed ?? accepted[0]?.id;
  return accepted.map(({ subject, id }): Checkup => {
    if (id === undefined)
      return { result: 'problem', subject, what: 'has accepted no committee', remedy: 'Start the committee again.' };
    return id === expected
      ? { result: 'good', subject, what: `has accepted ${id}` }
      : {
          result: 'problem',
          subject,
          what: `has accepted ${id}, ${agreed === undefined ? 'others' : 'agreed on was'} ${expected}`,
          remedy: 'Start the committee again.',
        };
  });
}
