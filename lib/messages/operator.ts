/** The operator file: private to one operator, never shown to the committee. */
import * as z from 'zod';
import { checkSignatureKey } from './ed25519.ts';
import { coin, hex32, identity, reasonOf } from './fields.ts';
import { parseStrict } from './json.ts';
import { policySchema } from './policies.ts';
import { LONGEST_QUEUE_MESSAGE, MAX_QUEUE_NAME, queueNameTooLong, RESERVED_COINS, topicQueue } from './topics.ts';

export type { InstructionKeys } from './instructions.ts';

const arn = z.string().regex(/^arn:aws[a-z-]*:[a-z0-9-]*:[a-z0-9-]*:[0-9]{0,12}:.+$/, 'expected an ARN');
/** As the functions read it: with another service's, or a queue in order, none of them would start. */
const queueArn = z
  .string()
  .regex(/^arn:aws[a-z-]*:sqs:[a-z0-9-]+:[0-9]{12}:[A-Za-z0-9_-]{1,80}$/, 'expected the ARN of an SQS standard queue');
const topicArn = z
  .string()
  .regex(/^arn:aws[a-z-]*:sns:[a-z0-9-]+:[0-9]{12}:[A-Za-z0-9_-]{1,256}$/, 'expected the ARN of an SNS standard topic');

export const operatorFile = z.strictObject({
  identity,
  account: z.string().regex(/^[0-9]{12}$/, 'expected an account id of 12 digits'),
  region: z.string().regex(/^[a-z0-9-]{2,32}$/, 'expected a region'),
  /** Roles that may send `MultisigInstruction` and `Control`; everybody else is denied. */
  clientRoles: z.array(arn).min(1).max(10),
  /** If set, instructions must also carry this many signatures of these Ed25519 keys. */
  instructionKeys: z.strictObject({ required: z.int().min(1).max(32), keys: z.array(hex32).min(1).max(32) }).optional(),
  policies: z
    .array(policySchema)
    .max(16)
    .default([{ kind: 'require-own-instruction' }]),
  /** Queue that events go to; made by the stack if absent. */
  outcomeQueue: queueArn.optional(),
  /** Queues that signing services answer gateways on. */
  gateways: z.array(queueArn).max(16).default([]),
  /** SNS topic for alarms. */
  alarmTarget: topicArn.optional(),
  /** May be empty beside assets. */
  coins: z.array(coin).max(16),
  /** Assets of which this operator runs a signing service. */
  assets: z.array(coin).max(16).default([]),
  /** SHA-256 of the committee file, compared by voice with the other operators; absent in the first deploy. */
  committeeHash: hex32.optional(),
});
export type OperatorFile = z.infer<typeof operatorFile>;

export function parseOperatorFile(
  input: unknown,
): { readonly ok: true; readonly file: OperatorFile } | { readonly ok: false; readonly reason: string } {
  const json = typeof input === 'string' ? parseStrict(input, 100_000) : ({ ok: true, value: input } as const);
  if (!json.ok) return json;
  const parsed = operatorFile.safeParse(json.value);
  if (!parsed.success) return { ok: false, reason: reasonOf(parsed.error) };
  const reason = contradiction(parsed.data);
  return reason === undefined ? { ok: true, file: parsed.data } : { ok: false, reason };
}

/** What a shape cannot say. @returns one sentence that begins with the field, or nothing */
function contradiction({
  identity: of,
  coins: vaults,
  assets,
  gateways,
  instructionKeys,
  region,
  alarmTarget,
}: OperatorFile): string | undefined {
  if (vaults.length === 0 && assets.length === 0) return 'coins: expected a coin or an asset, got neither';
  if (new Set(vaults).size !== vaults.length) return 'coins: expected distinct coins, got one twice';
  const coins = [...vaults, ...assets];
  if (new Set(coins).size !== coins.length) return 'assets: expected distinct assets that are no coins, got one twice';
  const answering = gateways.map((arn) => arn.slice(arn.lastIndexOf(':') + 1));
  // A request names the queue without its account: of two with one name it could mean either.
  if (new Set(answering).size !== answering.length) return 'gateways: expected queues of distinct names, got one twice';
  const rings = alarmTarget?.split(':')[3] ?? region;
  if (rings !== region) return `alarmTarget: expected an SNS topic in ${region}, got one in ${rings}`;
  const reserved = coins.find((each) => RESERVED_COINS.has(each));
  if (reserved !== undefined) return `coins: expected a coin name that is not reserved, got ${reserved}`;
  const longest = coins
    .map((each) => topicQueue(of, each, LONGEST_QUEUE_MESSAGE))
    .find((queue) => queue.length > MAX_QUEUE_NAME);
  if (longest !== undefined) return `coins: ${queueNameTooLong(longest)}`;
  if (!instructionKeys) return undefined;
  const { keys, required } = instructionKeys;
  // k of m means k persons: a key that is listed twice would count for two.
  if (new Set(keys).size !== keys.length) return 'instructionKeys: expected distinct keys, got one twice';
  const bad = keys.map(checkSignatureKey).find((why) => why !== undefined);
  if (bad !== undefined) return `instructionKeys: expected keys of prime order, got ${bad}`;
  if (required > keys.length) return `instructionKeys: expected at most ${keys.length} required, got ${required}`;
  return undefined;
}
