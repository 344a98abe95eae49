// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the text of the code that is taken away
/** Guards of everything that is read from a wire: shape, size, one encoding for one value, one meaning for one signature. */
import { type Guard, guardsOf } from '../guard.ts';

const at = (name: string): string => `test/messages/${name}.test.ts`;
const CATALOGUE = at('catalogue');
const COMMITTEE = at('committee');
const CONTENTS = at('contents');
const LIMITS = at('limits');
const STATEMENT = at('statement');
const SEALING = at('sealing');
const BYTES = at('bytes');

const json = guardsOf('lib/messages/json.ts', at('json'), at('robustness'));
const bytes = guardsOf('lib/messages/bytes.ts', BYTES);
const hex = guardsOf('lib/messages/hex.ts', BYTES);
const catalogue = guardsOf('lib/messages/catalogue.ts', CATALOGUE);
const committee = guardsOf('lib/messages/committee.ts', COMMITTEE);
const contents = guardsOf('lib/messages/contents.ts', CONTENTS, LIMITS);
const parameters = guardsOf('lib/messages/parameters.ts', LIMITS, CONTENTS);
const fields = guardsOf('lib/messages/fields.ts', CONTENTS, LIMITS, STATEMENT);
const statement = guardsOf('lib/messages/statement.ts', STATEMENT, BYTES);
const sealing = guardsOf('lib/messages/sealing.ts', SEALING);
const hpke = guardsOf('lib/messages/hpke.ts', SEALING);
const certificate = guardsOf('lib/messages/certificate.ts', at('certificate'), BYTES);
const instructions = guardsOf('lib/messages/instructions.ts', at('instructions'), BYTES);
const ed25519 = guardsOf('lib/messages/ed25519.ts', at('ed25519'));
const x25519 = guardsOf('lib/messages/x25519.ts', at('x25519'), CONTENTS);
const processorKey = guardsOf('lib/messages/processor-key.ts', BYTES, 'test/node/membership.test.ts');
const operator = guardsOf('lib/messages/operator.ts', at('operator'));
const topics = guardsOf('lib/messages/topics.ts', at('topics'));

export const MESSAGE_GUARDS: readonly Guard[] = [
  json(
    'size',
    'a text is measured before it is read (DOS-01)',
    'if (bytes > maxBytes) return { ok: false, reason: `expected at most ${maxBytes} bytes, got at least ${bytes}` };',
  ),
  json(
    'well-formed',
    'a lone surrogate is refused',
    "if (!text.isWellFormed()) return { ok: false, reason: 'not strict JSON: not well-formed Unicode' };",
  ),
  json('end', 'nothing follows the end', "if (this.#at < this.#text.length) this.#fail('text after the end');"),
  json(
    'depth',
    'an object is not too deep',
    '#object(level: number): void {\n    if (level > MAX_DEPTH) this.#fail(`more than ${MAX_DEPTH} levels`);',
    '#object(level: number): void {',
  ),
  json(
    'depth-array',
    'nor an array',
    '#array(level: number): void {\n    if (level > MAX_DEPTH) this.#fail(`more than ${MAX_DEPTH} levels`);',
    '#array(level: number): void {',
  ),
  json('forbidden', 'no key is a prototype’s (ENC-08)', "if (FORBIDDEN_KEYS.has(key)) this.#fail('a forbidden key');"),
  json('duplicate', 'no key is there twice', "if (keys.has(key)) this.#fail('a duplicate key');"),
  json(
    'elements',
    'an array is not too long',
    'if (count > MAX_ELEMENTS) this.#fail(`more than ${MAX_ELEMENTS} elements`);',
  ),
  json(
    'escapes',
    'two spellings of one key are one key',
    'return escaped ? this.#unescape(start, at + 1) : text.slice(start + 1, at);',
    'return text.slice(start + 1, at);',
  ),
  json(
    'control',
    'no control character in a string',
    "if (stop !== '\\\\') this.#fail('a control character in a string');",
    '',
    { redundant: 'JSON.parse refuses it too, by throwing: the scan is there so that nothing throws' },
  ),
  json(
    'integer',
    'numbers are integers that every reader reads alike',
    "if (digits === '' || !Number.isSafeInteger(Number(digits)))\n",
    "if (digits === '')\n",
  ),

  bytes(
    'surrogate',
    'text without UTF-8 has no bytes',
    "if (!text.isWellFormed()) throw new EncodingError('expected well-formed Unicode, got a lone surrogate');",
  ),
  bytes(
    'width',
    'a number fits its width',
    'if (!Number.isInteger(value) || value < 0 || value >= 2 ** bits)\n',
    'if (false)\n',
  ),
  bytes(
    'width-64',
    'also one of 64 bits',
    'if (integer < 0n || integer >= 1n << 64n) throw new EncodingError(`expected 0 ≤ x < 2^64, got ${integer}`);',
  ),
  bytes('prefix', 'a part carries its length (ENC-04)', 'out.set(bytes, 4);\n  return out;', 'return bytes;'),
  bytes(
    'count',
    'a list carries its count',
    'return concat(u32be(items.length), ...items.map(lp));',
    'return concat(...items.map(lp));',
  ),
  bytes('purpose', 'a signature has one purpose (ENC-06)', '`coterie/v1/${purpose}`', "'coterie/v1'"),
  hex(
    'spelling',
    'one value has one text (ENC-03)',
    "if (!isHex(hex)) throw new HexError('expected 0x and an even number of lower-case hex digits');",
  ),

  catalogue(
    'one-name',
    'a body has one name',
    '  if (name === undefined || more.length > 0)\n',
    '  if (name === undefined)\n',
  ),
  catalogue(
    'object',
    'a body is an object',
    "if (typeof json.value !== 'object' || json.value === null || Array.isArray(json.value)) {",
    'if (json.value === null) {',
  ),
  catalogue(
    'known',
    'a name is of the catalogue',
    'return Object.hasOwn(CATALOGUE, name);',
    'return name in CATALOGUE;',
  ),
  catalogue(
    'statement',
    'a header names the type of its message (ENC-06)',
    "if (entry.statement !== undefined && !('type' in data && data.type === entry.statement))\n",
    'if (false)\n',
  ),
  catalogue(
    'as',
    'a queue carries one message',
    'if (parsed.name !== name) return { ok: false, reason: `expected ${name}, got ${parsed.name}` };',
  ),
  catalogue(
    'parcel',
    'a parcel carries what its type says',
    "'pubkey' in payload\n        ? type === 'ExternalPublicKeyIn'\n        : type === `${payload.type}Out` &&",
    "'pubkey' in payload\n        ? type === 'ExternalPublicKeyIn'\n        :",
  ),
  catalogue(
    'parcel-sealed',
    'what is to be sealed is sealed (CTX-04)',
    " && 'ciphertext' in payload === (partitionOf(payload.type) === 'encrypted'),",
    ',',
  ),
  catalogue(
    'size',
    'a body is at most 256 KiB',
    'const json = parseStrict(text, MAX_BODY_BYTES);',
    'const json = parseStrict(text, 2 * MAX_BODY_BYTES);',
  ),

  committee(
    'size',
    'a file is bounded',
    'parseStrict(input, MAX_FILE_BYTES)',
    'parseStrict(input, 10 * MAX_FILE_BYTES)',
  ),
  committee(
    'own-property',
    'a coin is no property of every object (ENC-08)',
    'return Object.hasOwn(record, name) ? record[name] : undefined;',
    'return record[name];',
  ),
  committee(
    'indexes',
    'indexes are distinct (DKG-04)',
    "if (indexes.size !== n) return 'expected distinct operator indexes, got one twice';",
  ),
  committee(
    'indexes-dense',
    'and 1 to n',
    'if ([...indexes].some((each) => each > n)) return `expected operator indexes 1 to ${n}, got a higher one`;',
  ),
  committee(
    'identities',
    'identities are distinct',
    'if (new Set(file.operators.map((each) => each.identity)).size !== n)\n',
    'if (false)\n',
  ),
  committee(
    'messaging-keys',
    'so are messaging keys',
    "if (new Set(messaging).size !== n) return 'expected distinct coordinator keys, got one twice';",
  ),
  committee(
    'signature-keys',
    'and signature keys',
    "if (new Set(signing).size !== signing.length) return 'expected distinct signature keys, got one twice';",
  ),
  committee(
    'key-order',
    'signature keys are of prime order',
    'if (why !== undefined) return `expected a signature key of prime order for ${name} of operator ${of}, got ${why}`;',
  ),
  committee(
    'names',
    'a coin and an asset have different names',
    'if (twice !== undefined) return `expected a coin or an asset of each name, got both of ${twice}`;',
  ),
  committee(
    'reserved',
    'no coin has a name that queues need',
    'if (RESERVED_COINS.has(name)) return `expected a coin name that is not reserved, got ${name}`;',
  ),
  committee(
    'queue-name',
    'queue names fit',
    '.find((queue) => queue.length > MAX_QUEUE_NAME);\n  return longest && queueNameTooLong(longest);',
    '.find(() => false);\n  return longest && queueNameTooLong(longest);',
  ),
  committee(
    'undeclared',
    'no key for a name that the committee does not hold',
    "return name === undefined ? undefined : `expected ${name} of operator ${of} to be one of the committee's, it is not`;",
    'return undefined;',
  ),
  committee(
    't-most',
    't is at most the number of operators',
    'if (t > signers) return `expected t of ${name} to be at most its ${signers} operators, got ${t}`;',
  ),
  committee('t-least', 't = 1 is meant', 'if (t < 2 && !allowSingleSigner)\n', 'if (false)\n'),
  committee(
    'asset-t',
    't services of an asset',
    'if (t > n) return `expected t of ${name} to be at most its ${n} operators, got ${t}`;',
  ),
  committee(
    'asset-n',
    'an asset has at most 31 services',
    'if (n > MAX_SERVICES) return `expected at most ${MAX_SERVICES} operators for ${name}, got ${n}`;',
    '',
    { tests: [COMMITTEE, LIMITS] },
  ),
  committee(
    'asset-quorum',
    'two certificates for one serial cannot be (ECASH-08)',
    'if (2 * t <= n + f) return `expected 2t > n + f for ${name}, got t = ${t}, n = ${n}, f = ${f}`;',
  ),
  committee(
    'depositors',
    'a depositor counts once',
    'if (new Set(depositors.keys).size !== depositors.keys.length)\n',
    'if (false)\n',
  ),
  committee(
    'depositor-order',
    'depositor keys are of prime order',
    'if (bad !== undefined) return `expected depositor keys of prime order for ${name}, got ${bad}`;',
  ),
  committee('depositors-required', 'and enough', 'if (depositors.required > depositors.keys.length)\n', 'if (false)\n'),

  contents(
    'size',
    'a content is measured first',
    'const json = parseStrict(text, MAX_CONTENT_BYTES);',
    'const json = parseStrict(text, 2 * MAX_CONTENT_BYTES);',
  ),
  contents(
    'never-signed',
    'a content that its readers refuse is never signed',
    'if (!parsed.success) throw new ContentError(`${type}: ${reasonOf(parsed.error)}`);\n  return JSON.stringify(parsed.data);',
    'return JSON.stringify(parsed.data ?? content);',
  ),
  contents(
    'one-confirmation',
    'a confirmation has one text',
    'if (\'confirmed\' in content && text !== `{"confirmed":"${content.confirmed}"}`)\n',
    'if (false)\n',
  ),
  contents(
    'commitments',
    'at most 100 commitments (DKG-01)',
    'commitments: z.array(hexUpTo(65, 64)).min(1).max(100),',
    'commitments: z.array(hexUpTo(65, 64)).min(1),',
  ),
  contents(
    'exhibits',
    'at most 16 exhibits',
    'KeyGenEvidence: z.strictObject({ statements: z.array(statementSchema).min(1).max(16) }),',
    'KeyGenEvidence: z.strictObject({ statements: z.array(statementSchema).min(1) }),',
  ),

  parameters(
    'together',
    'messages are together as long as a body carries',
    '(all) => all.reduce((sum, each) => sum + each.length / 2 - 1, 0) <= MAX_MESSAGES_BYTES,',
    '() => true,',
  ),
  parameters(
    't',
    't is at most the number of signers',
    "z.literal('keygen'), ...common(suite) })\n    .refine(({ t, signers: all }) => t <= all.length,",
    "z.literal('keygen'), ...common(suite) })\n    .refine(() => true,",
  ),
  parameters(
    't-signing',
    'also of a signing',
    '    purpose,\n  })\n  .refine(({ t, signers: all }) => t <= all.length,',
    '    purpose,\n  })\n  .refine(() => true,',
  ),
  parameters('most', 'as many messages as a package carries', 'all.length <= maximumMessages(t),', 'true,'),
  parameters('id/committee', 'an id is of one committee (CTX-01)', '    fromHex(parameters.committee),\n', '', {
    tests: [LIMITS, BYTES],
  }),
  parameters('id/signers', 'of one set of signers', '    list(parameters.signers.map(u16be)),\n', '', {
    tests: [LIMITS, BYTES],
  }),
  parameters('id/threshold', 'of one threshold', '    u16be(parameters.t),\n', '', { tests: [LIMITS, BYTES] }),
  parameters('id/messages', 'of these messages', '    list((signing?.messages ?? []).map(fromHex)),\n', '', {
    tests: [LIMITS, BYTES],
  }),
  parameters('id/expiry', 'and of one expiry (CTX-03)', '    u64be(parameters.expiresAt),\n', '', {
    tests: [LIMITS, BYTES],
  }),

  fields(
    'coin',
    'a coin is no property of every object',
    ".refine((name) => !(name in Object.prototype), 'expected a name that is no property of every object');",
    ';',
    { tests: [at('instructions'), COMMITTEE, CATALOGUE] },
  ),
  fields(
    'signers',
    'signers are distinct, ascending',
    '(all) => all.every((value, i) => i === 0 || value > (all[i - 1] ?? 0)),',
    '() => true,',
  ),
  fields('hex-length', 'hex has its length', '`^0x[0-9a-f]{${2 * bytes}}$`', "'^0x[0-9a-f]*$'"),
  fields('hex-most', 'and no more', 'value.length <= 2 + 2 * most &&', ''),
  fields('hex-least', 'and no less', 'value.length >= 2 + 2 * least &&', ''),
  fields(
    'amount',
    'an amount has 64 bits (ECASH-16)',
    ".refine((text) => BigInt(text) < 1n << 64n, 'expected an amount below 2^64');",
    ';',
    { tests: [at('tokens'), COMMITTEE] },
  ),
  fields(
    'reason',
    'a reason repeats no chosen name',
    "return /^[\\w.-]*$/.test(name) ? name : '(not a name)';",
    'return name;',
    { tests: [CATALOGUE, at('instructions'), at('robustness'), CONTENTS] },
  ),

  statement('type', 'a signature is for one type', '    lp(utf8(type)),\n', ''),
  statement(
    'committee',
    'one committee (CTX-01)',
    '    lp(utf8(type)),\n    fromHex(committee),\n',
    '    lp(utf8(type)),\n',
  ),
  statement('coin', 'one coin', '    lp(utf8(of)),\n', ''),
  statement('ceremony', 'one ceremony (CTX-07)', '    fromHex(ceremony),\n', ''),
  statement('slot', 'one slot', '    lp(utf8(slot)),\n', ''),
  statement('from', 'one sender', '    u16be(from),\n', ''),
  statement('to', 'and one reader', '    u16be(to),\n', ''),
  statement(
    'content',
    'and for its text',
    'headerBytes(statement), lp(utf8(statement.content)))',
    'headerBytes(statement))',
  ),
  statement(
    'recipient',
    'a seal is for one recipient',
    'u16be(sealed.recipient), fromHex(sealed.enc), digest)',
    'fromHex(sealed.enc), digest)',
    { tests: [STATEMENT, BYTES, SEALING] },
  ),
  statement('ciphertext', 'and for its bytes', 'fromHex(sealed.enc), digest)', 'fromHex(sealed.enc))', {
    tests: [STATEMENT, BYTES, SEALING],
  }),
  statement('hash-signature', 'a hash is of the signed statement', '.update(fromHex(statement.signature))', ''),

  sealing(
    'info-header',
    'a seal opens under its header only',
    "return concat(tagged('hpke'), headerBytes(header), u16be(recipient));",
    "return concat(tagged('hpke'), u16be(recipient));",
  ),
  sealing(
    'info-recipient',
    'and for its recipient',
    "return concat(tagged('hpke'), headerBytes(header), u16be(recipient));",
    "return concat(tagged('hpke'), headerBytes(header));",
  ),
  sealing(
    'size',
    'what was sealed is bounded',
    'parseStrict(text, MAX_SEALED_BYTES)',
    'parseStrict(text, 100 * MAX_SEALED_BYTES)',
    { redundant: 'a ciphertext has at most 120,000 bytes, so the text in it has fewer' },
  ),
  sealing(
    'header',
    'the header inside is the one outside (CTX-04)',
    "if (Buffer.compare(headerBytes(statement), headerBytes(sealed)) !== 0) return { ok: false, reason: 'HeaderMismatch' };",
  ),
  sealing(
    'inner-signature',
    'its sender signed the inside',
    "return verifyStatement(statement, signatureKey) ? { ok: true, statement } : { ok: false, reason: 'BadSignature' };",
    'return { ok: true, statement };',
  ),
  sealing(
    'utf8',
    'nothing ill-formed is read as a replacement',
    '{ fatal: true, ignoreBOM: true }',
    '{ fatal: false, ignoreBOM: true }',
  ),
  sealing('bom', 'nor is a mark left out', '{ fatal: true, ignoreBOM: true }', '{ fatal: true }'),
  hpke('tag', 'a tag has 16 bytes', ', { authTagLength: TAG_BYTES }', ''),
  hpke(
    'expand',
    'no more than one block is expanded',
    'if (length > HASH_BYTES) throw new RangeError(`expected at most ${HASH_BYTES} bytes of output, got ${length}`);',
    '',
    { redundant: 'the suite never asks for more: a defect of the library, not an attack' },
  ),

  certificate(
    'committee',
    'a certificate is of this committee',
    "if (parameters.committee !== committee.id) return { ok: false, reason: 'expected this committee, got another' };",
  ),
  certificate(
    'coin',
    'of a coin of it',
    'if (!pinned) return { ok: false, reason: `expected a coin or asset of the committee, got ${parameters.coin}` };\n  if (parameters.suite !== pinned.suite)',
    'if (pinned && parameters.suite !== pinned.suite)',
  ),
  certificate('suite', 'of its suite (CTX-09)', 'if (parameters.suite !== pinned.suite)\n', 'if (false)\n'),
  certificate(
    'threshold',
    'of its threshold',
    'if (parameters.t !== pinned.t) return { ok: false, reason: `expected t = ${pinned.t}, got ${parameters.t}` };',
  ),
  certificate(
    'counts',
    'with one of each for each signer',
    'if (length !== n) return { ok: false, reason: `expected ${n} ${name}, got ${length}` };',
  ),
  certificate(
    'enough',
    'of t signers at least (ENC-07)',
    'if (n < parameters.t) return { ok: false, reason: `expected at least ${parameters.t} signers, got ${n}` };',
  ),
  certificate(
    'strangers',
    'all of them members',
    'const stranger = parameters.signers.find((index) => !members.has(index));',
    'const stranger = undefined;',
  ),
  certificate(
    'signatures',
    'and each has confirmed',
    'if (!verifyStatement(said, committee.signatureKey(parameters.coin, from)))\n',
    'if (false)\n',
  ),
  certificate(
    'transcript/ids',
    'a transcript is of one ceremony',
    "    tagged('transcript'),\n    fromHex(ceremonyId(parameters)),\n",
    "    tagged('transcript'),\n",
    {
      tests: [at('certificate')],
      redundant: 'each confirmation’s own header names the ceremony, and is signed with it',
    },
  ),
  certificate(
    'transcript/statements',
    'and of what was said in it (DKG-09)',
    '    ...statements.map((hash) => {\n',
    '    ...statements.slice(0, 0).map((hash) => {\n',
    { tests: [at('certificate')] },
  ),
  certificate(
    'transcript/verifying-shares',
    'and of the verifying shares',
    ', list(verifyingShares.map(fromHex))]',
    ']',
    { tests: [at('certificate')] },
  ),
  certificate(
    'transcript/count',
    'a missing hash shifts nothing',
    '  if (publicKeyHashes.length > parameters.signers.length || commitmentHashes.length > parameters.signers.length)\n',
    '  if (false)\n',
  ),
  certificate(
    'key-id',
    'a key’s id is of its ceremony',
    "concat(tagged('key-id'), fromHex(ceremony), fromHex(transcript))",
    "concat(tagged('key-id'), fromHex(transcript))",
  ),

  instructions(
    'scope',
    'an instruction is for one committee and coin',
    "return concat(tagged('instruction'), fromHex(committee), lp(utf8(of)), ",
    "return concat(tagged('instruction'), ",
  ),
  instructions('listed', 'a signature is of a listed key', 'keys.includes(key) && ', ''),
  instructions('verified', 'and verifies', ' && verifies(bytes, fromHex(signature), key)) signed', ') signed'),
  instructions('required', 'as many as are required', 'return signed.size >= required;', 'return signed.size >= 1;'),
  instructions(
    'distinct',
    'of different keys',
    'return signed.size >= required;',
    'return (instruction.signatures ?? []).length >= required && signed.size > 0;',
  ),

  ed25519(
    'small-order',
    'a key of small order is not pinned (ENC-02)',
    "if (point.isSmallOrder()) return 'a point of small order';",
    '',
    { redundant: 'a point of small order is not torsion-free either; only the reason differs' },
  ),
  ed25519(
    'torsion',
    'nor one with a small-order part',
    "if (!point.isTorsionFree()) return 'a point with a small-order part';",
  ),
  x25519(
    'canonical-bit',
    'a messaging key has one text (DKG-04)',
    'Number.parseInt(publicKey.slice(-2), 16) >= 0x80 || ',
    '',
  ),
  x25519('canonical-p', 'below p', ' || AT_LEAST_P.test(publicKey)', ''),
  x25519(
    'small-order',
    'and is not of small order',
    "return SMALL_ORDER.has(publicKey) ? 'a point of small order' : undefined;",
    'return undefined;',
  ),
  processorKey('generation', 'a key’s generation is signed', 'fromHex(pubkey), u64be(generation))', 'fromHex(pubkey))'),
  processorKey('identity', 'and whose it is', 'lp(utf8(identity)), ', ''),
  operator(
    'reserved',
    'no coin has a name that queues need',
    'if (reserved !== undefined) return `coins: expected a coin name that is not reserved, got ${reserved}`;',
  ),
  operator(
    'alarm-region',
    'alarms call a topic of their own region',
    'if (rings !== region) return `alarmTarget: expected an SNS topic in ${region}, got one in ${rings}`;',
  ),
  operator(
    'distinct-keys',
    'k of m means k persons',
    "if (new Set(keys).size !== keys.length) return 'instructionKeys: expected distinct keys, got one twice';",
  ),
  operator(
    'key-order',
    'instruction keys are of prime order',
    'if (bad !== undefined) return `instructionKeys: expected keys of prime order, got ${bad}`;',
  ),
  operator(
    'required',
    'and enough',
    'if (required > keys.length) return `instructionKeys: expected at most ${keys.length} required, got ${required}`;',
  ),
  topics('length', 'a queue name fits', 'if (queue.length > MAX_QUEUE_NAME) return undefined;'),
  topics(
    'peer',
    'an inbox names a peer',
    'return PEER.test(last) ? { identity, peer: last } : undefined;',
    'return { identity, peer: last };',
  ),
];
