// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the text of the code that is taken away
/** Guards of the adapters: what DynamoDB, SQS, KMS and Lambda are held to, with the services stubbed, and the same limits in the embedded cloud. */
import { type Guard, guardsOf } from '../guard.ts';

const STORE = 'test/aws/store.test.ts';
const GUARDS = 'test/aws/guards.test.ts';
const LOCAL = 'test/contract/local.test.ts';

const store = guardsOf('lib/aws/store.ts', STORE, GUARDS);
const bus = guardsOf('lib/aws/bus.ts', 'test/aws/bus.test.ts', GUARDS);
const wrapper = guardsOf('lib/aws/key-wrapper.ts', 'test/aws/key-wrapper.test.ts');
const errors = guardsOf('lib/aws/errors.ts', 'test/aws/errors.test.ts', STORE);
const expressions = guardsOf('lib/aws/expressions.ts', STORE, 'test/aws/codec.test.ts');
const codec = guardsOf('lib/aws/codec.ts', 'test/aws/codec.test.ts');
const lambda = guardsOf('lib/aws/lambda.ts', 'test/aws/lambda.test.ts');
const visibility = guardsOf('lib/aws/visibility.ts', GUARDS, 'test/aws/lambda.test.ts');
const limits = guardsOf('lib/local/limits.ts', LOCAL, 'test/local/store.test.ts');

export const ADAPTER_GUARDS: readonly Guard[] = [
  store(
    'consistent',
    'a read is strongly consistent',
    'Key: encodeKey(key), ConsistentRead: true });',
    'Key: encodeKey(key) });',
  ),
  store('consistent-batch', 'also of many', '{ Keys: pending, ConsistentRead: true }', '{ Keys: pending }'),
  store('consistent-query', 'also of a partition', '        ConsistentRead: true,\n', ''),
  store('every-page', 'a query reads every page', 'from = read.LastEvaluatedKey;', 'from = undefined;'),
  store('unprocessed', 'keys that were handed back are asked for again', 'pending = left;', 'pending = [];'),
  store(
    'fruitless',
    'but not for ever',
    'if (fruitless >= this.#patience.attempts) throw',
    'if (fruitless >= 50) throw',
  ),
  store(
    'write-not-repeated',
    'a write whose answer was lost is not repeated',
    "await repeat('throttled', this.#patience, () => this.#sendAlone(item));",
    "await repeat('any', this.#patience, () => this.#sendAlone(item));",
  ),
  store(
    'token',
    'a transaction has its token',
    'TransactItems: items, ClientRequestToken: token });',
    'TransactItems: items });',
  ),
  store('limits', 'a transaction keeps to the limits', 'checkTransaction(writes, token);', ''),
  store(
    'condition-of-delete',
    'a delete has its condition',
    'return { Delete: { TableName, Key: encodeKey(write.key), ...condition } };',
    'return { Delete: { TableName, Key: encodeKey(write.key) } };',
  ),
  store(
    'condition-of-put',
    'a put has its condition',
    'Item: encodeItem(write.table, write.item), ...condition } };',
    'Item: encodeItem(write.table, write.item) } };',
  ),
  store(
    'validation',
    'a refused transaction is a defect, not a lost race',
    "if (codes.some((code) => code === 'ValidationError' || code === 'ItemCollectionSizeLimitExceeded'))\n    throw new LimitExceeded(said);\n",
    '',
  ),
  store('conflict', 'a conflict is waited for', "code === 'TransactionConflict' || ", ''),
  store(
    'only-conditions',
    'only a failed condition is one',
    "return Code === 'ConditionalCheckFailed' ?",
    "return Code !== 'None' ?",
  ),
  store(
    'table-id',
    'a table without an identity is refused',
    "if (!Table?.TableId) throw new Unavailable('DescribeTable did not say the table id');\n    return Table.TableId;",
    "return Table?.TableId ?? '';",
  ),
  store(
    'table-id-again',
    'a restored table is seen by a warm function',
    'if (known && this.#elapsed() < known.until) return known.id;',
    'if (known) return known.id;',
  ),
  store(
    'set-names',
    'no attribute hides the set',
    'if (name in set) throw new LimitExceeded(`expected further attributes, got ${name} among them`);',
  ),

  bus('limits', 'a message keeps to the limits', 'for (const message of messages) checkMessage(message);', ''),
  bus(
    'lost-answer',
    'a call whose answer was lost counts as refused',
    'return entries.map(({ index }) => index);\n    }\n  }',
    'return [];\n    }\n  }',
  ),
  bus(
    'accepted',
    'accepted is what was said to be',
    'const refused = entries.filter(({ index }) => !accepted.has(`${index}`)).map(({ index }) => index);',
    'const refused = Failed.map(({ Id }) => Number(Id));',
  ),
  bus('ten', 'ten messages a call', 'current.batch.entries.length < MAX_BATCH_ENTRIES && ', ''),
  bus('bytes', 'of 1 MiB together', ' && current.bytes + entry.bytes <= MAX_BATCH_BYTES', ''),

  wrapper('data-key', 'a data key has 32 bytes', 'plaintext?.length !== DATA_KEY_BYTES || !wrapped', '!wrapped'),
  wrapper(
    'named-key',
    'the key is named at decryption',
    '    const command = new DecryptCommand({\n      KeyId: this.#keys[lifecycle],\n',
    '    const command = new DecryptCommand({\n',
  ),
  wrapper(
    'context',
    'with its context',
    '      CiphertextBlob: wrapped,\n      EncryptionContext: { ...context },\n',
    '      CiphertextBlob: wrapped,\n',
  ),
  wrapper(
    'context-made',
    'as it was made with',
    "      KeySpec: 'AES_256',\n      EncryptionContext: { ...context },\n",
    "      KeySpec: 'AES_256',\n",
  ),
  wrapper('wiped', 'the SDK’s copy is overwritten', 'answer.Plaintext.fill(0);', ''),
  wrapper(
    'wrapped-size',
    'a wrapped key has its size',
    'if (wrapped.length < 1 || wrapped.length > MAX_WRAPPED_BYTES) {\n      throw new WrongContext',
    'if (false) {\n      throw new WrongContext',
  ),
  wrapper(
    'opened-size',
    'an opened key has 32 bytes',
    '    if (plaintext?.length !== DATA_KEY_BYTES) {\n',
    '    if (!plaintext) {\n',
  ),
  wrapper(
    'wrong',
    'what does not belong here is not waited for',
    "if (operation === 'Decrypt' && (WRONG.has(name) || name === 'ValidationException' || strange)) {",
    "if (operation === 'Decrypt' && (name === 'ValidationException' || strange)) {",
  ),
  wrapper('strange', 'also where KMS calls it a refusal', ' || strange)) {', ')) {'),

  errors(
    'in-progress',
    'a request under way may yet be applied',
    " && name !== 'TransactionInProgressException') return",
    ') return',
  ),
  errors(
    'unknown',
    'an answer that was lost is an unknown outcome',
    'return new UnknownOutcome(said);',
    'return new Unavailable(said);',
  ),
  errors(
    'too-much',
    'a broken limit is never retried',
    'if (TOO_MUCH.has(name) || status === 413) return new LimitExceeded(said);',
  ),
  expressions(
    'absent',
    'absent is absent',
    "return { ConditionExpression: 'attribute_not_exists(#pk)', ExpressionAttributeNames: names };",
    "return { ConditionExpression: 'attribute_exists(#pk)', ExpressionAttributeNames: names };",
  ),
  expressions(
    'present',
    'present is present',
    "return { ConditionExpression: 'attribute_exists(#pk)', ExpressionAttributeNames: names };",
    "return { ConditionExpression: 'attribute_not_exists(#pk)', ExpressionAttributeNames: names };",
  ),
  expressions(
    'absent-or-equals',
    'said once or said the same',
    "'attribute_not_exists(#pk) OR #a = :a'",
    "'attribute_not_exists(#pk)'",
  ),
  codec('integer', 'numbers are safe integers', '  if (!Number.isSafeInteger(value))\n', '  if (false)\n'),
  codec(
    'set',
    'a set is not empty',
    'if (value.size === 0) throw new LimitExceeded(`attribute ${name}: expected a set with members, got an empty one`);',
  ),
  lambda('role', 'a function runs as its role', 'if (config.role !== handler.role)\n', 'if (false)\n'),
  lambda(
    'batch-fails',
    'a handler that throws fails its batch',
    'return batch.map(({ messageId }) => messageId);',
    'return [];',
  ),
  lambda(
    'once',
    'adapters are made at the first event',
    'let deployment: Deployment | undefined;\n  return',
    'let deployment: Deployment | undefined = deploy();\n  return',
  ),
  visibility('jitter', 'held messages come back out of step', ' + draw(Math.floor(most / 2) + 1)', ''),
  visibility(
    'most',
    'within a quarter of an hour',
    'Math.min(FIRST_SECONDS * 2 ** Math.min(receiveCount - 1, 16), MOST_SECONDS)',
    'FIRST_SECONDS * 2 ** Math.min(receiveCount - 1, 16)',
  ),

  limits(
    'item',
    'an item has 400 KB',
    'if (bytes > MAX_ITEM_BYTES) throw new LimitExceeded(`item: expected at most ${MAX_ITEM_BYTES} bytes, got ${bytes}`);',
  ),
  limits(
    'writes',
    'a transaction has 100 writes',
    'if (writes.length < 1 || writes.length > MAX_TRANSACTION_WRITES) {',
    'if (false) {',
  ),
  limits('bytes', 'and 4 MB', 'if (bytes > MAX_TRANSACTION_BYTES) {', 'if (false) {'),
  limits(
    'one-key',
    'and no key twice',
    "if (targets.size !== writes.length) throw new LimitExceeded('transaction: no two writes may have the same key');",
  ),
  limits('body', 'a body has 256 KiB', 'if (bytes < 1 || bytes > MAX_BODY_BYTES) {', 'if (false) {'),
  limits(
    'delay',
    'a delay has 900 s',
    'if (!Number.isInteger(delaySeconds) || delaySeconds < 0 || delaySeconds > MAX_DELAY_SECONDS) {',
    'if (false) {',
  ),
];
