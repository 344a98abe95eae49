// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the text of the code that is taken away
/** Guards of the two ceremonies: what a step refuses to conclude, to say or to sign. */
import { type Guard, guardsOf } from '../guard.ts';

const KEYGEN = 'test/ceremonies/keygen.test.ts';
const SIGNING = 'test/ceremonies/signing.test.ts';
const HOSTILE = 'test/ceremonies/hostile.test.ts';
const GUARDS = 'test/ceremonies/guards.test.ts';
const NODE_SIGNING = 'test/node/signing.test.ts';

const keygen = guardsOf('lib/keygen/step.ts', KEYGEN, GUARDS, HOSTILE);
const dealing = guardsOf('lib/keygen/frost-scheme.ts', KEYGEN, GUARDS, HOSTILE);
const signing = guardsOf('lib/signing/step.ts', SIGNING, HOSTILE, GUARDS);
const policy = guardsOf('lib/signing/policy.ts', NODE_SIGNING, SIGNING);

export const CEREMONY_GUARDS: readonly Guard[] = [
  // ------------------------------------------------------------------------------------------------ key generation
  keygen(
    'proof-first',
    'a proof ends every stage, and names the culprit',
    'if (culprits.length > 0) return fail(state, member, { reason: firstReason(culprits), culprits, unresponsive: [] });',
    '',
  ),
  keygen(
    'mismatch',
    'other parameters under one request end the ceremony',
    "if (inputs.mismatch) return fail(state, member, { reason: 'ConfigurationMismatch', culprits: [], unresponsive: [] });",
    '',
    {
      tests: ['test/node/receive.test.ts'],
    },
  ),
  keygen(
    'undecryptable',
    'what does not open ends the ceremony and blames nobody',
    'if (unreadable.length > 0)\n',
    'if (false)\n',
    { tests: [GUARDS, 'test/node/receive.test.ts'] },
  ),
  keygen(
    'expiry',
    'a ceremony ends at its expiry',
    'if (now >= state.parameters.expiresAt)\n    return fail(',
    'if (false)\n    return fail(',
  ),
  keygen(
    'unprovable-abort',
    'an abort that has no proof fails at once',
    'if (!PROVABLE.has(verdict.content.aborted))\n',
    'if (false)\n',
    { tests: [GUARDS, KEYGEN] },
  ),
  keygen(
    'grace',
    'a peer’s proof is waited for, but not for ever',
    'if (now < state.doomed.until) return UNCHANGED;',
    'return UNCHANGED;',
  ),
  keygen(
    'grace-bound',
    'the wait never outlasts the ceremony',
    'Math.min(now + PROOF_GRACE_SECONDS, state.parameters.expiresAt)',
    'now + PROOF_GRACE_SECONDS',
    { redundant: 'the expiry is looked at before the grace' },
  ),
  keygen(
    'keys-complete',
    'no commitment is shown before every announced hash is in (DKG-11)',
    "  const said = inputs.said('EncryptedPublicKey', '');\n  if (!complete(state.parameters, said)) return UNCHANGED;",
    "  const said = inputs.said('EncryptedPublicKey', '');",
  ),
  keygen(
    'key-parameters',
    'a key statement is about this ceremony',
    '!parsed.ok || ceremonyId(parsed.content.parameters) !== state.ceremony',
    '!parsed.ok',
    { tests: [GUARDS, KEYGEN] },
  ),
  keygen(
    'key-culprits',
    'a bad key statement ends the ceremony',
    "if (culprits.length > 0) return fail(state, member, { reason: 'InvalidCommitment', culprits, unresponsive: [] });\n\n  const { statement }",
    'const { statement }',
    { tests: [GUARDS, KEYGEN] },
  ),
  keygen(
    'lost-polynomial/keys',
    'no other polynomial is made for an id',
    "  const polynomial = secrets.get('POLYNOMIAL');\n  if (!polynomial) return lostSecrets(state, member);\n\n",
    "  const polynomial = secrets.get('POLYNOMIAL');\n  if (!polynomial) return UNCHANGED;\n\n",
  ),
  keygen(
    'commitments-complete',
    'no share is dealt before every commitment is in',
    'if (!complete(parameters, said)) return UNCHANGED;',
    '',
    { tests: [GUARDS, KEYGEN] },
  ),
  keygen(
    'announced',
    'a commitment is the announced one',
    'return statementHash(statement) === announced ? commitmentIn(statement) : undefined;',
    'return commitmentIn(statement);',
  ),
  keygen(
    'content',
    'a commitment statement has its shape',
    "commitmentIn(statement: Statement | undefined): Commitment | undefined {\n  const parsed = parseContent('EncryptedKeyGenCommitment', statement?.content ?? '');\n  return parsed.ok ? parsed.content : undefined;",
    "commitmentIn(statement: Statement | undefined): Commitment | undefined {\n  const parsed = parseContent('EncryptedKeyGenCommitment', statement?.content ?? '');\n  if (!parsed.ok) throw new Error('content');\n  return parsed.content;",
    { tests: [GUARDS, KEYGEN] },
  ),
  dealing(
    'dealing-shape',
    'exactly t points, none the identity',
    'if (dealing && checkDealingShape(suite, t, dealing).ok) shaped.push(dealing);',
    'if (dealing) shaped.push(dealing);',
  ),
  dealing(
    'proofs',
    'every dealer knows its constant term',
    'for (const index of checkProofs(suite, shaped, random)) bad.add(index);',
  ),
  dealing(
    'small-order',
    'a small-order part in the key names its dealers',
    'culprits: smallOrderDealers(suite, shaped) };',
    'culprits: [] };',
  ),
  keygen(
    'identity-sum',
    'commitments that cancel end the ceremony and name nobody',
    "if (!judged.ok) return fail(state, member, { reason: 'Aborted', culprits: [], unresponsive: [] });",
    "if (!judged.ok) throw new Error('no key');",
    { tests: [GUARDS, KEYGEN] },
  ),
  keygen('dealers', 'who dealt badly is named', 'if (!judged.ok) for (const index of judged.culprits) bad.add(index);'),
  keygen(
    'all-culprits',
    'all bad dealers are named',
    'if (commitment) dealings.push({ index, commitment });\n    else bad.add(index);',
    'if (commitment) dealings.push({ index, commitment });\n    else if (bad.size === 0) bad.add(index);',
  ),
  keygen(
    'shares-complete',
    'a key is made of everybody’s shares',
    'if (!peers.every((index) => said.has(index))) return UNCHANGED;',
    '',
    { tests: [GUARDS, KEYGEN] },
  ),
  keygen(
    'share-count',
    'a share that does not parse is not left out',
    'shares.size === parameters.signers.length\n',
    'true\n',
    { tests: [GUARDS, KEYGEN], redundant: 'a sum of fewer shares lies on no column' },
  ),
  keygen(
    'share-each',
    'of bad shares each is judged alone',
    'return !share || !commitment || !scheme.liesOn(member.self, commitment, share);',
    'return !share || !commitment;',
  ),
  keygen('disagreement', 'another transcript is no confirmation', 'if (disagreeing.length > 0)\n', 'if (false)\n'),
  keygen(
    'verdict-proof',
    'a proof leaves a confirmed key unresolved',
    'if (culprits.length > 0)\n    return unresolved(',
    'if (false)\n    return unresolved(',
  ),
  keygen(
    'verdict-expiry',
    'silence leaves a confirmed key unresolved',
    'if (now >= state.parameters.expiresAt) {',
    'if (false) {',
  ),
  keygen(
    'certificate-verified',
    'a received certificate is verified',
    'if (verified.ok && verified.keyId === state.keyId) return parsed.content.certificate;',
    'return parsed.content.certificate;',
    { tests: [GUARDS, KEYGEN] },
  ),
  keygen(
    'certificate-key',
    'and is of the transcript confirmed here',
    'if (verified.ok && verified.keyId === state.keyId)',
    'if (verified.ok)',
    { tests: [GUARDS, KEYGEN] },
  ),
  keygen(
    'assembled',
    'a certificate has everybody’s confirmation of one transcript',
    'if (verdict?.content !== text) return undefined;',
    'if (!verdict) return undefined;',
  ),
  keygen(
    'keep-share',
    'a confirmed share is never deleted without the operator',
    "keys: [{ kind: 'hide', keyId: state.keyId }],",
    'keys: [],',
    { tests: [GUARDS, KEYGEN] },
  ),
  keygen(
    'forget',
    'nothing ephemeral outlives the ceremony',
    "    { kind: 'forget', name: 'POLYNOMIAL' },\n    { kind: 'forget', name: 'SEALKEY' },",
    '',
    { tests: ['test/node/secrets.test.ts', 'test/node/crash.test.ts'] },
  ),
  keygen(
    'backoff',
    'an unresolved node repeats itself ever more rarely',
    'if (now < state.repeatAt) return UNCHANGED;',
    '',
    { tests: [GUARDS, KEYGEN] },
  ),
  keygen(
    'backoff-limit',
    'but at least every six hours',
    'Math.min(REPEAT_SECONDS * 2 ** repeats, REPEAT_LIMIT_SECONDS)',
    'REPEAT_SECONDS * 2 ** repeats',
    { tests: [GUARDS, KEYGEN] },
  ),
  keygen(
    'self-culprit',
    'a node does not convict itself',
    'return from === undefined || from === member.self ? [] :',
    'return from === undefined ? [] :',
    { tests: [GUARDS, KEYGEN] },
  ),
  keygen('known-culprits', 'a culprit is reported once', '.filter((culprit) => !known.has(culprit.index));', ';', {
    tests: [GUARDS, KEYGEN],
  }),
  keygen('own-verdict', 'the own confirmation counts, whatever TTL has taken', ', [member.self, own]]', ']', {
    tests: ['test/node/unresolved.test.ts'],
  }),
  keygen(
    'exhibits-together',
    'what many liars have blown up is not one transaction',
    'bytes > EXHIBIT_BYTES || all > EXHIBITS_BYTES',
    'bytes > EXHIBIT_BYTES',
    { tests: ['test/node/many-culprits.test.ts'] },
  ),
  keygen(
    'exhibit-too-large',
    'a statement that fills a body is left out',
    'bytes > EXHIBIT_BYTES || all > EXHIBITS_BYTES',
    'all > EXHIBITS_BYTES',
    {
      tests: ['test/node/guards.test.ts', 'test/node/receive.test.ts'],
    },
  ),
  keygen(
    'exhibit-packing',
    'exhibits fit into a body',
    'last && last.length < EXHIBIT_STATEMENTS && size + bytes <= EXHIBIT_BYTES',
    'last && last.length < EXHIBIT_STATEMENTS',
    { tests: ['test/node/guards.test.ts', 'test/node/receive.test.ts'] },
  ),
  keygen('exhibit-count', 'and into their schema', 'last && last.length < EXHIBIT_STATEMENTS && size', 'last && size', {
    tests: [GUARDS, KEYGEN],
  }),
  keygen(
    'terminal',
    'a terminal stage absorbs',
    "    case 'Succeeded':\n    case 'Failed':\n      return UNCHANGED;\n  }\n}\n\n/** What can end",
    "    case 'Succeeded':\n    case 'Failed':\n      return awaitCertificate(state as unknown as Unresolved, inputs, now, member);\n  }\n}\n\n/** What can end",
    { tests: [KEYGEN] },
  ),

  // ------------------------------------------------------------------------------------------------ signing
  signing(
    'passed-on',
    'a signature is passed on for no longer than it is remembered which one was',
    'state.leading && passedOn(state, now) ?',
    'state.leading ?',
    { tests: ['test/node/said-late.test.ts'] },
  ),
  signing(
    'signature-count',
    'a signature for each message',
    '!parsed.ok || parsed.content.signatures.length !== parameters.messages.length',
    '!parsed.ok',
    {
      tests: [GUARDS, SIGNING],
      redundant: 'a missing signature is no signature of its message, and one too many is not looked at',
    },
  ),
  signing('signature', 'a forged signature ends nothing', 'if (valid) return signatures;', 'return signatures;'),
  signing(
    'every-signature',
    'every one of several signatures verifies',
    'const valid = parameters.messages.every((message, m) =>\n        verifySignature',
    'const valid = parameters.messages.some((message, m) =>\n        verifySignature',
    { tests: [GUARDS, SIGNING] },
  ),
  signing(
    'expiry',
    'a signing ends at its expiry',
    'if (now < state.parameters.expiresAt) return undefined;',
    'return undefined;',
  ),
  signing(
    'policy-at-release',
    'the policy speaks when the share would leave (NON-15)',
    "if (decide().kind === 'refuse') return undefined;",
  ),
  signing(
    'own-commitment',
    'the package carries the commitments of the row that is spent (NON-09)',
    'if (!own.commitments.every((c, m) => sameCommitment(commitmentHex(c), mine[m]))) {',
    'if (false) {',
    {
      tests: [HOSTILE, SIGNING],
      redundant:
        'signShare finds its own commitment in the list as well; this check is by message and before any arithmetic',
    },
  ),
  signing(
    'own-commitment-every',
    'for every message',
    'if (!own.commitments.every((c, m) =>',
    'if (!own.commitments.some((c, m) =>',
    { tests: [GUARDS, HOSTILE], redundant: 'signShare finds its own commitment in the list as well' },
  ),
  signing(
    'bad-package-answered',
    'a package that cannot be answered is in nobody’s way',
    'const answered = [...offered.answered, { session, package: statementHash(statement) }];',
    'const answered = [...offered.answered];',
    { tests: [HOSTILE, SIGNING] },
  ),
  signing(
    'no-part',
    'no share is made of a part of the messages',
    'if (!shares) return refuse();',
    'if (!shares) return undefined;',
    { tests: [HOSTILE, SIGNING, GUARDS] },
  ),
  signing(
    'bad-points',
    'commitments that are no points stop no signer',
    '    if (error instanceof FrostInputError) return undefined;\n',
    '',
    { tests: [HOSTILE, SIGNING, GUARDS] },
  ),
  signing(
    'sequence',
    'a spent nonce has a successor of another name',
    'sequence: offered.sequence + 1,',
    'sequence: offered.sequence,',
    { tests: [NODE_SIGNING, SIGNING] },
  ),
  signing('consume', 'a nonce is spent with its share (NON-01)', "      { kind: 'consume', name },\n", '', {
    tests: [SIGNING, 'test/node/guards.test.ts'],
  }),
  signing(
    'session-bound',
    'a leader has n − t + 1 sessions (NON-13)',
    'if (session === undefined || session > lastLeader(parameters)) continue;',
    'if (session === undefined) continue;',
    { tests: [HOSTILE] },
  ),
  signing(
    'answered-once',
    'a session is answered once',
    'if (offered.answered.some((each) => each.session === session)) continue;',
    '',
    {
      tests: [SIGNING, HOSTILE],
    },
  ),
  signing(
    'leader',
    'a package is leader k’s',
    "const statement = inputs.said('SigningPackage', slot).get(leader);\n      const parsed = statement &&",
    "const [statement] = inputs.said('SigningPackage', slot).values();\n      const parsed = statement &&",
    { tests: [SIGNING, GUARDS, HOSTILE] },
  ),
  signing(
    'well-formed',
    'exactly t distinct participants in order',
    '!parsed?.ok || !wellFormedPackage(parameters, parsed.content)',
    '!parsed?.ok',
  ),
  signing(
    'source',
    'a package is for the current commitments',
    'parsed.content.sources[position] === offered.source',
    'true',
    {
      tests: [SIGNING, GUARDS],
      redundant:
        'the commitments of the row are compared with the package’s before anything is signed; the source names which statement carried them, for evidence',
    },
  ),
  signing('package/t', 't signers, no more and no fewer', 'signers.length === parameters.t &&', '', {
    tests: [SIGNING, GUARDS],
  }),
  signing('package/sources', 'a source for each', 'sources.length === parameters.t &&', '', {
    tests: [SIGNING, GUARDS],
  }),
  signing('package/commitments', 'commitments of each', 'commitments.length === parameters.t &&', '', {
    tests: [SIGNING, GUARDS],
  }),
  signing(
    'package/members',
    'participants only',
    'parameters.signers.includes(index) && (i === 0 || index > (signers[i - 1] ?? 0))) &&\n    commitments.every',
    '(i === 0 || index > (signers[i - 1] ?? 0))) &&\n    commitments.every',
    { tests: [SIGNING, GUARDS] },
  ),
  signing(
    'package/order',
    'distinct, ascending',
    'signers.every((index, i) => parameters.signers.includes(index) && (i === 0 || index > (signers[i - 1] ?? 0))) &&',
    'signers.every((index) => parameters.signers.includes(index)) &&',
    { tests: [SIGNING, GUARDS], redundant: 'the schema of a package takes distinct indexes in ascending order only' },
  ),
  signing(
    'package/messages',
    'one pair for each message',
    ' &&\n    commitments.every((each) => each.length === parameters.messages.length)',
    '',
    { tests: [SIGNING, GUARDS] },
  ),
  signing(
    'rotate-period',
    'a leader has its period',
    'if (now < state.nextLeaderAt || state.offers.length > lastLeader(state.parameters)) return undefined;',
    'if (state.offers.length > lastLeader(state.parameters)) return undefined;',
    { tests: [SIGNING, GUARDS] },
  ),
  signing(
    'rotate-last',
    'leaders are n − t + 1',
    'if (now < state.nextLeaderAt || state.offers.length > lastLeader(state.parameters)) return undefined;',
    'if (now < state.nextLeaderAt) return undefined;',
    { tests: [SIGNING, GUARDS] },
  ),
  signing(
    'package-named',
    'a share names the package that it answers',
    'parsed.content.package === session.package &&',
    '',
    { tests: [GUARDS, SIGNING] },
  ),
  signing(
    'share-count',
    'a share for each message',
    '\n      parsed.content.shares.length === parameters.messages.length;',
    '\n      true;',
    { tests: [GUARDS, SIGNING] },
  ),
  signing(
    'excluded',
    'who answered badly gets no further session',
    'excluded: [...new Set([...leading.excluded, ...unusable, ...bad])].sort((a, b) => a - b),',
    'excluded: leading.excluded,',
  ),
  signing(
    'cancelling',
    'commitments that cancel cost one session (NON-11)',
    '    if (error instanceof FrostInputError) return { ok: false, culprits: [] };\n',
    '',
    {
      tests: [GUARDS, HOSTILE],
      redundant:
        'commitments that cancel cannot be found: the binding factors are hashes of them; kept so that nothing throws',
    },
  ),
  signing(
    'patience',
    'a session has its second',
    "if (last && last.status === 'open' && now < last.openedAt + PATIENCE_SECONDS) return undefined;",
    '',
    { tests: [SIGNING, GUARDS] },
  ),
  signing(
    'sessions',
    'a leader opens n − t + 1 sessions',
    'if (leading.sessions.length > lastLeader(parameters)) return undefined;',
    '',
    { tests: [GUARDS, SIGNING], redundant: 'each session that fails takes a signer out of those that are free' },
  ),
  signing('t-signers', 'a session has t signers', 'if (chosen.length < parameters.t) return undefined;', '', {
    tests: [SIGNING],
  }),
  signing(
    'free-excluded',
    'the excluded are not chosen',
    ' || leading.excluded.includes(index)) continue;',
    ') continue;',
    { tests: [SIGNING, GUARDS] },
  ),
  signing(
    'free-last',
    'a signer’s spent commitments are not chosen again',
    'const carrier = last ? inputs.said',
    'const carrier = last && last.session < 0 ? inputs.said',
    { tests: [SIGNING, GUARDS] },
  ),
  signing(
    'free-count',
    'commitments for each message',
    'commitments?.length === parameters.messages.length &&',
    'commitments !== undefined &&',
    { tests: [GUARDS, SIGNING] },
  ),
  signing(
    'free-valid',
    'commitments that are no points of prime order are not chosen',
    'if (valid) free.push(',
    'if (commitments) free.push(',
    { tests: [GUARDS, SIGNING] },
  ),
  signing(
    'carried-ceremony',
    'commitments are for these parameters',
    'return parsed.ok && ceremonyId(parsed.content.parameters) === ceremony ? parsed.content.commitments : undefined;',
    'return parsed.ok ? parsed.content.commitments : undefined;',
    { tests: [GUARDS, SIGNING] },
  ),
  signing('nonce-row', 'a nonce row has its length', 'if (row.length !== size * count)\n', 'if (false)\n', {
    tests: [GUARDS],
    redundant: 'the row is authenticated under its name; a wrong length is a defect, not an attack',
  }),
  signing(
    'nonces-wiped',
    'plain nonces do not outlive their row',
    'for (const { nonces } of pairs) nonces.fill(0);',
    '',
    {
      tests: [GUARDS, 'test/node/secrets.test.ts'],
      redundant: 'nobody can look: the array is reachable by nothing that a test can hold',
    },
  ),
  signing(
    'forget',
    'unspent nonces go with the ceremony',
    "return offers.map(({ k, sequence }) => ({ kind: 'forget', name: `NONCE#${k}#${sequence}` }));",
    "return offers.slice(0, 0).map(({ k, sequence }) => ({ kind: 'forget', name: `NONCE#${k}#${sequence}` }));",
    { tests: ['test/node/secrets.test.ts', 'test/node/crash.test.ts'] },
  ),
  signing(
    'slot',
    'a slot is leader and session, and nothing else',
    'return leader === `${k}` && session !== undefined && rest.length === 0 ? Number(session) : undefined;',
    'return session === undefined ? undefined : Number(session);',
    { tests: [HOSTILE, SIGNING, GUARDS] },
  ),
  signing(
    'late-once',
    'a late signature is told once',
    'const signatures = state.late ? undefined : validSignatures',
    'const signatures = validSignatures',
    { tests: [GUARDS, SIGNING], redundant: 'a ceremony that has told a late signature loads no statements any more' },
  ),
  signing(
    'unauthorised-silence',
    'an operator that was not asked tells its client nothing',
    'events: state.authorised ? [event] : []',
    'events: [event]',
    { tests: [GUARDS, SIGNING] },
  ),
  signing(
    'authorised-once',
    'an outcome is told once',
    "    case 'Succeeded':\n      if (state.authorised) return UNCHANGED;\n",
    "    case 'Succeeded':\n",
    { tests: [GUARDS, SIGNING] },
  ),

  signing(
    'accused-package',
    'a leader is accused only of what a stranger would believe',
    'const convicts = statement.from !== member.self && verifyEvidence(member.committee, evidence).guilty;',
    'const convicts = true;',
    { tests: [HOSTILE, SIGNING, GUARDS] },
  ),
  signing(
    'accused-share',
    'and so is a signer',
    'const proven = bad.has(index) || verifyEvidence(member.committee, evidence).guilty;',
    'const proven = true;',
    { tests: [GUARDS, SIGNING] },
  ),
  // ------------------------------------------------------------------------------------------------ policy
  policy(
    'purposes',
    'a purpose that is not allowed is refused',
    'return policy.allow.includes(request.purpose)\n',
    'return true\n',
  ),
  policy(
    'hash',
    'the version is of the whole policy',
    "createHash('sha256').update(JSON.stringify(policies))",
    "createHash('sha256')",
    { tests: ['test/node/guards.test.ts', NODE_SIGNING] },
  ),
];
