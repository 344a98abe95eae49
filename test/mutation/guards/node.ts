// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the text of the code that is taken away
/** Guards of the handler contract: what is recorded, counted, committed and released, and by whose word. */
import { type Guard, guardsOf } from '../guard.ts';

const RECEIVE = 'test/node/receive.test.ts';
const SIGNING = 'test/node/signing.test.ts';
const STRAYS = 'test/node/strays.test.ts';
const RESTORE = 'test/node/restore.test.ts';
const CRASH = 'test/node/crash.test.ts';
const SECRETS = 'test/node/secrets.test.ts';
const GUARDS = 'test/node/guards.test.ts';
const PARCELS = 'test/node/lost-parcels.test.ts';
const SAID = 'test/node/said-late.test.ts';
const UNRESOLVED = 'test/node/unresolved.test.ts';
const WAKES = 'test/node/wake-chains.test.ts';
const MEMBERSHIP = 'test/node/membership.test.ts';

const receive = guardsOf('lib/node/receive.ts', RECEIVE, GUARDS);
const commit = guardsOf('lib/node/commit.ts', GUARDS, RESTORE, SIGNING);
const strays = guardsOf('lib/node/strays.ts', STRAYS, GUARDS);
const membership = guardsOf('lib/node/membership.ts', MEMBERSHIP);
const ownKeys = guardsOf('lib/node/own-keys.ts', MEMBERSHIP, RESTORE);
const instructions = guardsOf('lib/node/instructions.ts', GUARDS, SIGNING);
const authorise = guardsOf('lib/node/authorise.ts', GUARDS, SIGNING);
const advance = guardsOf('lib/node/advance.ts', GUARDS, SIGNING, RESTORE);
const wake = guardsOf('lib/node/wake.ts', SIGNING, GUARDS);
const load = guardsOf('lib/node/load.ts', RECEIVE, RESTORE, GUARDS);
const evidenceRow = guardsOf('lib/node/evidence-row.ts', RECEIVE);
const coordinator = guardsOf('lib/node/coordinator.ts', MEMBERSHIP, GUARDS);
const node = guardsOf('lib/node/node.ts', GUARDS, SECRETS);

export const NODE_GUARDS: readonly Guard[] = [
  // ------------------------------------------------------------------------------------------------ receive: bound, authenticate
  receive(
    'committee-first',
    'nothing is judged before there is a committee: the messages come again',
    'if (!committee) return { failed: batch.map((delivery) => delivery.messageId) };',
    'if (!committee) return { failed: [] };',
    { tests: [GUARDS, MEMBERSHIP] },
  ),
  receive(
    'queue-type',
    'a statement is heard only where its type is',
    "if (body.type !== type) return reject('the header names another type than the queue');",
    '',
    { redundant: 'parseBody holds the type of the body against its name already' },
  ),
  receive(
    'committee',
    'a statement of another committee is refused',
    "if (body.committee !== committee.id) return reject('another committee');",
  ),
  receive(
    'coin',
    'a statement for another coin is refused',
    "if (body.coin !== node.config.coin) return reject('another coin');",
  ),
  receive(
    'reader',
    'a statement for another operator is refused',
    "if (body.to !== 0 && body.to !== self) return reject('addressed to another operator');",
    '',
    { redundant: 'wellPlaced gives every type the readers it may have' },
  ),
  receive(
    'place',
    'a type is heard only in its own slots',
    "if (!wellPlaced(type, body, self)) return reject('no slot or reader that this type has');",
  ),
  receive(
    'own-name',
    'nobody speaks to an operator in its own name',
    "if (body.from === self) return reject('sent in the own name');",
  ),
  receive(
    'member',
    'who is not of the coin is nobody',
    "if (!committee.isSigner(node.config.coin, body.from)) return reject('from nobody of this committee');",
  ),
  receive(
    'recipient',
    'a seal for another operator is refused',
    "if (body.recipient !== self) return reject('sealed to another operator');",
  ),
  receive(
    'outer-signature',
    'the sealed layer is signed by its sender',
    "return verifySealed(body, key) ? body : reject('the signature of the sealed layer does not verify');",
    'return body;',
  ),
  receive(
    'signature',
    'a statement is signed by its sender',
    "return verifyStatement(body, key) ? body : reject('the signature does not verify');",
    'return body;',
  ),
  receive('place/verdict', 'a verdict is said to all', "return slot === '' && to === 0;", 'return true;'),
  receive(
    'place/share',
    'a share has one place and one reader',
    "return slot === '' && to === self;",
    'return to === self;',
  ),
  receive('place/evidence', 'exhibits are numbered', 'return LEADER_SLOT.test(slot) && to === 0;', 'return to === 0;'),
  receive(
    'place/certificate',
    'a certificate or signature has one place for each reader',
    "return (slot === '' && to === 0) || answered;",
    'return true;',
  ),
  receive(
    'place/commitment',
    'nonce commitments are for one leader',
    'return LEADER_SLOT.test(slot) && (to === self || to === 0);',
    'return true;',
  ),
  receive(
    'place/package',
    'packages are for all, in numbered sessions',
    'return SESSION_SLOT.test(slot) && to === 0;',
    'return true;',
  ),
  receive(
    'place/signature-share',
    'signature shares are for the leader, in numbered sessions',
    'return SESSION_SLOT.test(slot) && to === self;',
    'return true;',
  ),

  // ------------------------------------------------------------------------------------------------ receive: who may say what
  receive('participant', 'who is not a participant is not heard', 'if (!signers.includes(from)) return false;', '', {
    tests: [GUARDS, SIGNING],
  }),
  receive(
    'exhibit-count',
    'a peer has as many exhibits as there are participants',
    "return parameters.kind === 'keygen' && k < signers.length;",
    "return parameters.kind === 'keygen';",
    { tests: [GUARDS] },
  ),
  receive(
    'commitment-leader',
    'only a leader hears nonce commitments',
    '[self, from].includes(leaderOf(parameters, ceremony, k))',
    'true',
    { tests: [GUARDS, SIGNING] },
  ),
  receive(
    'share-leader',
    'only a leader hears signature shares',
    "parameters.kind === 'signing' && k <= last && session <= last && leaderOf(parameters, ceremony, k) === self",
    "parameters.kind === 'signing'",
    { tests: [GUARDS, SIGNING] },
  ),
  receive(
    'package-leader',
    'only leader k opens sessions of leader k, and n − t + 1 of them',
    "parameters.kind === 'signing' && k <= last && session <= last && leaderOf(parameters, ceremony, k) === from",
    "parameters.kind === 'signing'",
    { tests: [SIGNING, GUARDS] },
  ),
  receive(
    'share-after-end',
    'no share of a finished key is kept',
    "if (type === 'EncryptedKeyShare' && stored.state.stage === 'Succeeded') accepted = [];",
    '',
    { tests: [GUARDS] },
  ),
  receive(
    'expected',
    'participants and places are those of the parameters',
    'accepted = arrivals.filter(({ body }) => expectedFrom(type, parameters, self, body));',
    '',
    { tests: [SIGNING, GUARDS] },
  ),

  // ------------------------------------------------------------------------------------------------ receive: record, count
  receive(
    'write-once',
    'what was recorded first stays',
    "    item,\n    condition: { kind: 'absent' },\n  });\n  if (result.committed) return 'new';",
    "    item,\n  });\n  if (result.committed) return 'new';",
  ),
  receive(
    'redelivery',
    'the same bytes again prove nothing',
    "if (!before || before['body'] === text) return 'duplicate';",
    "if (!before) return 'duplicate';",
    {
      redundant:
        'the statement hashes are compared next: equal bytes have equal hashes, and the test only saves opening a seal',
    },
  ),
  receive(
    'same-statement',
    'two seals around one statement are no contradiction',
    'if (!a || !b || statementHash(a) === statementHash(b) || a.to !== b.to)',
    'if (!a || !b || a.to !== b.to)',
    { tests: [GUARDS, RECEIVE, CRASH] },
  ),
  receive(
    'inner-needed',
    'what cannot be opened accuses nobody',
    'if (!a || !b || statementHash(a) === statementHash(b) || a.to !== b.to)',
    'if (statementHash(a) === statementHash(b) || a.to !== b.to)',
    { tests: [GUARDS, RECEIVE] },
  ),
  receive(
    'full/peers',
    'a stage is full when every peer has spoken',
    'return enough(peers);',
    'return enough(peers + 1);',
    { tests: [CRASH, GUARDS] },
  ),
  receive(
    'full/threshold',
    't − 1 others and the leader are enough',
    'return enough(parameters.t - 1);',
    'return enough(parameters.t);',
    { tests: [SIGNING, GUARDS] },
  ),
  receive(
    'full/abort',
    'one abort ends the wait',
    "? { kind: 'Full' }\n        : enough(peers);",
    '? enough(peers)\n        : enough(peers);',
    { tests: [RECEIVE, GUARDS] },
  ),
  receive('again', 'a redelivery wakes what a lost one did not', 'if (again) await resend(node, ceremony);', '', {
    tests: [CRASH, GUARDS],
  }),
  receive(
    'again-received',
    'a second receive is a redelivery',
    ' || accepted.some(({ delivery }) => delivery.receiveCount > 1)',
    '',
    {
      tests: [CRASH, GUARDS],
      redundant:
        'a message that was received before was recorded then, and is a duplicate; or it was not, and has done nothing',
    },
  ),
  receive(
    'state-meanwhile',
    'a state made while this was recorded is stepped',
    'const begun = parameters ? undefined : await loadState(node, ceremony);',
    'const begun = undefined as Stored | undefined;',
    { tests: [GUARDS, CRASH] },
  ),
  receive(
    'stray-meanwhile',
    'what was written as a stray after the authorisation lives as long as the ceremony',
    'if (begun) await keepStrays(node, ceremony, begun.state.parameters);',
    '',
    { tests: [STRAYS] },
  ),
  receive(
    'latecomer',
    'a signer that commits late is answered',
    "if (type === 'NonceCommitment' && stored?.state.stage === 'Succeeded') full = true;",
    '',
    { tests: [SIGNING] },
  ),

  // ------------------------------------------------------------------------------------------------ receive: before authorisation
  receive(
    'stray-types',
    'only first messages are kept before the authorisation',
    "if (type !== 'EncryptedPublicKey' && type !== 'NonceCommitment') return 'the ceremony is not known here';",
    "if (type !== 'EncryptedPublicKey' && type !== 'NonceCommitment') return undefined;",
  ),
  receive(
    'stray-place',
    'a stray is in a place of its ceremony, from a participant',
    '  if (!expectedFrom(type, parameters, ownIndex(committee, node.config.identity), body))\n',
    '  if (false)\n',
    { tests: [GUARDS, STRAYS] },
  ),
  receive(
    'lead-count',
    'a leader without its client leads when t others have committed',
    'return `${k}` === slot && arrived.size >= parameters.t;',
    'return `${k}` === slot;',
    { tests: [STRAYS, GUARDS] },
  ),
  receive(
    'lead-key',
    'a leader leads with the parameters of a key that it holds',
    'if (!certificate || !same) {',
    'if (!certificate) {',
    { tests: [GUARDS] },
  ),

  // ------------------------------------------------------------------------------------------------ commit
  commit(
    'version',
    'a lost race is read again',
    "condition: previous ? { kind: 'equals', attribute: 'version', value: previous.version } : { kind: 'absent' },",
    '',
    { tests: [GUARDS, CRASH] },
  ),
  commit(
    'first-state',
    'a ceremony begins once',
    "value: previous.version } : { kind: 'absent' },",
    "value: previous.version } : { kind: 'absentOrEquals', attribute: 'kind', value: state.kind },",
    { tests: [GUARDS, CRASH] },
  ),
  commit(
    'lost-table',
    'nothing is wrapped for a ceremony whose data key is another table’s',
    "    node.log('SecretUnreadable', { ceremony });\n    return { kind: 'lost' };",
    "    node.log('SecretUnreadable', { ceremony });\n    throw error;",
    { tests: [RESTORE, GUARDS] },
  ),
  commit(
    'own-once',
    'an own statement is recorded once',
    "item: { ...key, body: JSON.stringify(statement), at, ttl },\n      condition: { kind: 'absent' },",
    'item: { ...key, body: JSON.stringify(statement), at, ttl },',
  ),
  commit(
    'share-once',
    'a released share is stored once',
    "writes.push({ kind: 'put', table: 'Ceremonies', item, condition: { kind: 'absent' } });\n  }\n  // Before",
    "writes.push({ kind: 'put', table: 'Ceremonies', item });\n  }\n  // Before",
  ),
  commit(
    'long-term-share-once',
    'the share of a key is stored once',
    "item: { ...longTermShareKey(key.keyId), blob },\n          condition: { kind: 'absent' },",
    'item: { ...longTermShareKey(key.keyId), blob },',
  ),
  commit(
    'public-key-once',
    'the public half of a key is stored once',
    "writes.push({ kind: 'put', table: 'Keys', item, condition: { kind: 'absent' } });",
    "writes.push({ kind: 'put', table: 'Keys', item });",
  ),
  commit(
    'certify-known',
    'only a stored key is certified',
    "writes.push({ kind: 'put', table: 'Keys', item, condition: { kind: 'present' } });",
    "writes.push({ kind: 'put', table: 'Keys', item });",
  ),
  commit(
    'hide-known',
    'only a stored key is hidden',
    "item: { ...publicKeyKey(key.keyId), status: 'hidden' },\n          condition: { kind: 'present' },",
    "item: { ...publicKeyKey(key.keyId), status: 'hidden' },",
  ),
  commit('share-wiped', 'the plain share does not outlive its wrapping', 'key.share.fill(0);', '', {
    tests: [SECRETS, GUARDS],
  }),
  commit(
    'halt',
    'no share leaves while the switch is pulled',
    "writes.push({ kind: 'check', table: 'Keys', key: HALT, condition: { kind: 'absent' } });",
    '',
    { tests: [SIGNING] },
  ),
  commit(
    'policy',
    'no share leaves under another policy than the one that was asked',
    "condition: { kind: 'equals', attribute: 'version', value: policyHash(node.config.policies) },",
    "condition: { kind: 'present' },",
    { tests: [SIGNING] },
  ),
  commit(
    'outbox-once',
    'what leaves in a stage is written once',
    "for (const item of rows) writes.push({ kind: 'put', table: 'Ceremonies', item, condition: { kind: 'absent' } });",
    "for (const item of rows) writes.push({ kind: 'put', table: 'Ceremonies', item });",
  ),
  commit(
    'arm',
    'the wake-up is sent before the transaction',
    'if (!previous?.stuck) await arm(node, ceremony, previous?.wakeAt, transition.wakeAt);',
    '',
    { tests: [SIGNING, RECEIVE] },
  ),
  commit(
    'stuck',
    'a refused step is armed for once, and not with every visit',
    '      await markStuck(node, ceremony, previous);\n',
    '      {}\n',
    { tests: [RESTORE] },
  ),
  commit(
    'armed-after',
    'what was stuck and moves is armed again',
    'if (previous?.stuck) await arm(node, ceremony, previous.wakeAt, transition.wakeAt);',
    '',
    { tests: [RESTORE] },
  ),
  commit(
    'unknown-outcome',
    'an answer that was lost is read back',
    "if (!(error instanceof UnknownOutcome)) throw error;\n    node.log('UnknownOutcome', { ceremony });",
    'throw error;',
    { tests: [GUARDS, CRASH] },
  ),
  commit(
    'own-token',
    'the own commit is recognised by its token',
    'if (await applied()) return { committed: true };',
    '',
    { tests: [GUARDS, CRASH] },
  ),
  commit(
    'own-token-again',
    '… also where the second call finds it applied',
    'return !again.committed && (await applied()) ? { committed: true } : again;',
    'return again;',
    { tests: [GUARDS, CRASH] },
  ),
  commit(
    'secret-once',
    'a secret row is made once',
    "return { kind: 'put', table: 'Nonces', item, condition: { kind: 'absent' } };",
    "return { kind: 'put', table: 'Nonces', item };",
  ),
  commit(
    'nonce-consumed',
    'a nonce is spent once',
    "return { kind: 'delete', table: 'Nonces', key, condition: { kind: 'present' } };",
    "return { kind: 'delete', table: 'Nonces', key };",
  ),
  commit('secret-wiped', 'a plain secret does not outlive its wrapping', 'secret.plaintext.fill(0);', '', {
    tests: [SECRETS, GUARDS],
  }),
  commit(
    'said-once',
    'what was said is not said otherwise, whatever was restored',
    "condition: { kind: 'absentOrEquals', attribute: 'hash', value: hash },",
    '',
    { tests: [RESTORE] },
  ),
  commit(
    'key-kept',
    'the state of a key that was made has no end, so that who missed it is answered',
    "state.stage === 'Failed' || (state.kind === 'signing' && state.stage === 'Succeeded')",
    "state.stage === 'Failed' || state.stage === 'Succeeded'",
    { tests: [UNRESOLVED] },
  ),
  receive(
    'late-rows',
    'what comes long after the expiry is kept long enough to be counted',
    'node.now() + STRAY_TTL_SECONDS);',
    'parameters ? 0 : node.now() + STRAY_TTL_SECONDS);',
    { tests: [UNRESOLVED] },
  ),
  commit(
    'said-late',
    'a certificate that was said is remembered for ever',
    "'KeyGenEvidence', 'KeyGenCertificate']",
    "'KeyGenEvidence']",
    { tests: [SAID] },
  ),
  receive(
    'said-to-one',
    'an answer to one peer is not said otherwise, whatever was restored',
    'answers.filter((_, i) => said[i])',
    'answers',
    { tests: [SAID] },
  ),
  commit(
    'said-own',
    'what a node says to itself is remembered too',
    '[...outbox.map((each) => each.statement), ...own]',
    '[...outbox.map((each) => each.statement)]',
    { tests: [RESTORE, GUARDS] },
  ),
  evidenceRow(
    'size',
    'a proof larger than a row stops no handler',
    '  return packed.length <= ROW_BYTES ? packed : undefined;',
    '  return packed;',
  ),
  evidenceRow(
    'packed',
    'a proof of honest size is kept, however many messages it is about',
    '  if (bytes.length <= ROW_BYTES) return plain;\n',
    '  return bytes.length <= ROW_BYTES ? plain : undefined;\n',
  ),
  commit(
    'evidence-once',
    'the first proof is kept',
    "await node.ports.store.write({ kind: 'put', table: 'Ceremonies', item, condition: { kind: 'absent' } });",
    "await node.ports.store.write({ kind: 'put', table: 'Ceremonies', item });",
  ),
  commit(
    'event-size',
    'an outcome fits into a body, whatever its proofs',
    'if (utf8(JSON.stringify(event)).length > EVENT_BYTES) delete culprit.evidence;',
    '',
    { tests: [RECEIVE, GUARDS] },
  ),
  commit('outbox-row', 'an outbox row fits into an item', 'if (size + bytes > OUTBOX_ROW_BYTES) close();', '', {
    tests: [GUARDS],
  }),
  commit(
    'sent-once',
    'what was marked as sent is not sent again',
    'return done?.has(position) || !queue ? [] : [{ row, position, message: { queue, body } }];',
    'return !queue ? [] : [{ row, position, message: { queue, body } }];',
    { tests: [GUARDS] },
  ),
  commit(
    'refused-unmarked',
    'what a queue did not take is not marked as sent',
    'if (refused.has(index)) continue;',
    '',
    { tests: [GUARDS, CRASH] },
  ),
  commit(
    'refused-fails',
    'what a queue did not take comes again',
    "if (refused.size > 0) throw new SendRefused([...refused].map((index) => pending[index]?.message.queue ?? ''));",
    '',
    { tests: [GUARDS, CRASH] },
  ),

  // ------------------------------------------------------------------------------------------------ strays
  strays(
    'id',
    'the parameters of a stray give its ceremony',
    "if (ceremonyId(parameters) !== ceremony) return 'the parameters do not give this ceremony';",
  ),
  strays(
    'expired',
    'an expired ceremony is not begun by anybody',
    "if (parameters.expiresAt <= now) return 'expired';",
  ),
  strays(
    'life',
    'a peer can make nothing last',
    "if (parameters.expiresAt > now + MAX_LIFE_SECONDS + SKEW_SECONDS) return 'expires later than any ceremony may';",
  ),
  strays(
    'count',
    'sixteen unauthorised ceremonies a peer',
    'if (known.length >= STRAY_CEREMONIES && !(await releaseAuthorised(node, known)))',
    'if (false)',
  ),
  strays(
    'count-live',
    'what expired counts no longer',
    "return rows.filter((row) => (row['ttl'] as number) > now);",
    'return [...rows];',
  ),
  strays(
    'authorised-free',
    'what runs here counts no longer',
    'if (!(await loadState(node, row.sk as Hex))) continue;',
    'continue;',
  ),
  strays(
    'contradicted',
    'a running ceremony is told of other parameters under its request',
    'await wakeContradicted(node, parameters, ceremony);',
    '',
    { tests: [RECEIVE] },
  ),
  strays(
    'keep',
    'what came early lives as long as its ceremony',
    'if (expiresAt < node.now() + STRAY_TTL_SECONDS / 2) return;',
    'return;',
  ),

  // ------------------------------------------------------------------------------------------------ membership
  membership(
    'hash',
    'only the deployed committee is accepted',
    'if (committee.id !== node.config.committeeHash) {',
    'if (false) {',
  ),
  membership(
    'named',
    'a committee without this operator is not accepted',
    'if (!committee.operatorByIdentity(node.config.identity))\n',
    'if (false)\n',
  ),
  membership(
    'file-once',
    'the accepted file stays',
    "condition: { kind: 'absentOrEquals', attribute: 'hash', value: committee.id },",
    '',
    { tests: ['test/node/membership.test.ts'] },
  ),
  membership(
    'coordinator-key',
    'SignerReady is sealed to the pinned key only',
    "if (!pinned || coordinator['pubkey'] !== pinned) {",
    'if (!pinned) {',
  ),
  membership(
    'ready-once',
    'SignerReady is sealed once',
    "await store.write({ kind: 'put', table: 'Directory', item, condition: { kind: 'absent' } });\n    } finally",
    "await store.write({ kind: 'put', table: 'Directory', item });\n    } finally",
  ),
  membership(
    'early-judged',
    'what came early is judged by the file',
    'if (early.ok) await onExternalPublicKey(node, early.payload);',
    '',
  ),
  membership(
    'peer-coin',
    'a key of nobody for this coin is refused',
    "if (payload.coin !== coin || !operator || !committee.isSigner(coin, payload.signer))\n    return reject('from nobody of this committee for this coin');",
    "if (!operator) return reject('');",
  ),
  membership(
    'peer-signature',
    'a peer’s key is signed by the pinned key',
    '  if (!verifyProcessorKey(key, signature, committee.signatureKey(coin, payload.signer)))\n',
    '  if (false)\n',
  ),
  membership(
    'no-rollback',
    'an older key never replaces a newer one',
    "if (known && before !== undefined && before >= (item['generation'] as number)) {",
    'if (false) {',
  ),
  membership(
    'newest-race',
    'of two that keep a key at once, the newer stays',
    "before === undefined ? { kind: 'absent' } : { kind: 'equals', attribute: 'generation', value: before };",
    "{ kind: 'absentOrEquals', attribute: 'pk', value: item.pk };",
  ),
  membership(
    'all-known',
    'nothing begins before every peer is known',
    'if (!signers.every((index) => index === self || known.has(index))) return;',
    '',
  ),
  membership(
    'genesis-expired',
    'an expired genesis is not begun',
    'if (genesis && genesis.expiresAt > node.now()) await',
    'if (genesis) await',
  ),
  membership(
    'ready-last',
    'readiness is told once',
    "if (!committee || (await store.get('Directory', READY))) return;",
    'if (!committee) return;',
  ),

  // ------------------------------------------------------------------------------------------------ own keys
  ownKeys(
    'known',
    'own keys are made once',
    "const known = await node.ports.store.get('Directory', OWN_KEYS);\n  if (known) return decodeKeys(known);",
    '',
    {
      redundant: 'the transaction that writes them is conditional, and what is there is read back',
    },
  ),
  ownKeys(
    'public-once',
    'the public halves are written once',
    "item: { ...OWN_KEYS, ...publicHalf }, condition: { kind: 'absent' } },",
    'item: { ...OWN_KEYS, ...publicHalf } },',
  ),
  ownKeys(
    'secret-once',
    'the own secrets are written once',
    "item: { ...ownSecretKey(name), blob }, condition: { kind: 'absent' } });",
    'item: { ...ownSecretKey(name), blob } });',
  ),
  ownKeys(
    'restored',
    'a lost Directory is not papered over',
    "if (!made) throw new Error('the own keys are stored and their public halves are not: restore the Directory table');\n  return made;",
    'return made as Item;',
    { tests: [MEMBERSHIP, RESTORE] },
  ),

  // ------------------------------------------------------------------------------------------------ instructions
  instructions(
    'signatures',
    'an instruction carries k of m signatures, where the operator wants them',
    'if (instructionKeys && !checkInstructionSignatures(payload, scope, instructionKeys)) {',
    'if (false) {',
  ),
  instructions(
    'control-signatures',
    'so does a control',
    'if (instructionKeys && !(committee && checkInstructionSignatures(payload, { committee, coin }, instructionKeys)))\n',
    'if (false)\n',
  ),
  instructions(
    'coin',
    'a key is made for the own coin',
    "if (!held || asked.coin !== coin) return no('ConfigurationMismatch', `expected coin ${coin}, got ${asked.coin}`);",
    "if (!held) return no('ConfigurationMismatch', '');",
  ),
  instructions('suite', 'with the committee’s suite', 'if (asked.suite !== held.suite)', 'if (false)', {
    redundant: 'the parameters take the suite of the committee file, not the asked one',
  }),
  instructions('threshold', 'and the committee’s threshold', 'if (asked.t !== held.t)', 'if (false)'),
  instructions('members', 'among members', '!asked.signers.every((index) => members.includes(index)) ||', ''),
  instructions('enough', 't of them at least', 'asked.signers.length < asked.t ||', ''),
  instructions('self', 'the operator among them', '      !asked.signers.includes(self)\n'.slice(2), '    false\n'),
  instructions(
    'certified',
    'only a certified key signs',
    'if (!certificate) {\n    const row',
    'if (false) {\n    const row',
  ),
  instructions(
    'most-messages',
    'as many messages as a package carries',
    'if (asked.messages.length > most) {',
    'if (false) {',
  ),
  instructions(
    'policy-early',
    'a signer that will not answer takes no place',
    "if (policy.kind === 'refuse') return { ok: false, refusal: { reason: 'Unauthorised', detail: policy.reason } };",
    '',
  ),
  instructions(
    'expired',
    'an expired request is refused',
    "if (expiresAt <= now) return { reason: 'Expired', detail: `expected expiresAt after ${now}, got ${expiresAt}` };",
    '',
  ),
  instructions('life', 'a request ends within a week', 'if (expiresAt > now + MAX_LIFE_SECONDS) {', 'if (false) {'),
  instructions(
    'abandon-spin',
    'an abandon that cannot be said ends',
    "if (stored.version === refusedAt) return node.log('CommitRefused', { ceremony, stage: stored.state.stage });",
    'if (stored.version === refusedAt) await new Promise((resolve) => setTimeout(resolve, 1));',
    { tests: [RESTORE, GUARDS] },
  ),
  instructions(
    'abandon-resend',
    'an abandon that was not heard is said again',
    '// It was abandoned before, perhaps by this very message, and what that said may not have left.\n  await resend(node, ceremony);',
    '',
    { tests: [RECEIVE] },
  ),
  instructions(
    'release-wakes',
    'releasing the switch wakes what it held',
    'await wakeOpenCeremonies(node, Number.MAX_SAFE_INTEGER);',
    '',
    { tests: [GUARDS, SIGNING] },
  ),

  // ------------------------------------------------------------------------------------------------ authorise
  authorise(
    'mismatch',
    'a request id stands for one set of parameters',
    "if (known && known['ceremony'] !== ceremony) return { kind: 'mismatch', ceremony: known['ceremony'] as Hex };",
    '',
  ),
  authorise(
    'repeated',
    'a second instruction runs nothing',
    "if (known && known['origin'] !== origin && (await loadState(node, ceremony))) return { kind: 'repeated', ceremony };",
    '',
  ),
  authorise(
    'died',
    '… unless the first died before it began',
    ' && (await loadState(node, ceremony))) return { kind',
    ') return { kind',
  ),
  authorise(
    'request-once',
    'of two instructions at once one takes the request id',
    "      item,\n      condition: { kind: 'absent' },",
    '      item,',
  ),
  authorise('begun', 'a ceremony is begun once', '    if (await loadState(node, ceremony)) return;\n', '', {
    redundant: 'the first state row is written only if there is none',
  }),
  authorise(
    'keep-strays',
    'what came before is kept',
    'await begin(visit);\n    // Once the state is there: what came before it was written as a stray, and whatever comes after it sees it.\n    await keepStrays(node, ceremony, parameters);\n',
    'await keepStrays(node, ceremony, parameters);\n    await begin(visit);\n',
    { tests: [STRAYS] },
  ),
  authorise(
    'spin',
    'an authorisation that cannot be said ends',
    'if ((stored?.version ?? 0) === refusedAt) {',
    'if (false) {',
    { tests: [RESTORE] },
  ),

  // ------------------------------------------------------------------------------------------------ advance, wake, load
  advance(
    'spin',
    'a step that was refused twice is not tried for ever',
    'if (stored.version === refusedAt) {',
    'if (false) {',
    { tests: [RESTORE, SIGNING] },
  ),
  advance('held', 'what is held is not tried again at once', "if (committed.kind === 'held') return;", '', {
    tests: [SIGNING],
  }),
  advance('forget', 'the next step reads the rows that this one wrote', 'visit.secrets.forget();', '', {
    tests: [CRASH, SIGNING],
    redundant: 'secret rows have a name of their own each and are written once: what was read is what is there',
  }),
  advance(
    'certified',
    'an unconfirmed or hidden key signs nothing',
    "return row?.['status'] === 'certified' ?",
    'return row !== undefined ?',
  ),
  advance(
    'wiped',
    'the share is wiped when the step is over',
    '  } finally {\n    share?.wipe();\n  }',
    '  } finally {\n  }',
    { tests: [SECRETS, GUARDS] },
  ),
  wake(
    'not-due',
    'one delay of 15 minutes is not the end of the wait',
    'if (next !== undefined) await node.send',
    'if (false) await node.send',
  ),
  wake(
    'rule-arms-nothing',
    'the scheduled rule adds no Wake to those that are under way',
    "      await advance(node, ceremony, 'armed');\n      await resend(node, ceremony);\n",
    '      await wakeCeremony(node, ceremony, false);\n',
    { tests: [SIGNING] },
  ),
  wake('resend', 'a wake-up sends what was not sent', '(await refusal(resend(node, ceremony))) ?? unsent', 'unsent', {
    tests: [CRASH, GUARDS],
  }),
  advance(
    'ended-by-the-rule',
    'what a ceremony says that the rule ends has a wake-up of its own',
    "if (visit.wake === 'armed' && !stored.stuck && result.transition.wakeAt === undefined)",
    'if (false)',
    { tests: [WAKES] },
  ),
  wake(
    'postponed',
    'a ceremony that waits for others is not in the way of those that are due',
    'if (after?.version === before.version && was <= node.now() && next !== undefined && next > node.now())',
    'if (false)',
    { tests: [WAKES] },
  ),
  wake(
    'one-wake',
    'a wake-up that could not send does not come again beside the one that it has ordered',
    'if (refused && after?.wakeAt === undefined) throw refused;',
    'if (refused) throw refused;',
    { tests: [WAKES] },
  ),
  wake(
    'armed',
    'a wake-up that comes again orders no further one for what is not written',
    "again ? 'armed' : 'unarmed'",
    "'unarmed'",
    { tests: [WAKES] },
  ),
  wake(
    'one-fails',
    'one ceremony that fails keeps no other from its deadline',
    "      node.log('HandlerFailed', { ceremony, error: nameOf(error) });\n      failed = error;",
    '      throw error;',
  ),
  load('undecryptable', 'what does not open is silence', 'undecryptable.add(record.from);', '', {
    tests: [GUARDS, RECEIVE],
  }),
  load(
    'outsiders',
    'who is not in the ceremony cannot end it',
    " && signers.includes(Number(row.sk.slice('ASKED#'.length)))",
    '',
    { tests: [RECEIVE] },
  ),
  load(
    'unreadable-row',
    'a row of another table’s life is as good as gone',
    "if (!(error instanceof Error && 'kind' in error && error.kind === 'WrongContext')) throw error;",
    'throw error;',
    { tests: [GUARDS, RESTORE] },
  ),
  evidenceRow(
    'parsed',
    'evidence is read strictly',
    '  return parsed.ok ? parsed.evidence : undefined;',
    '  return JSON.parse(text) as Evidence;',
    { redundant: 'the row is the node’s own; the schema guards against a row of another version' },
  ),
  load('wiped', 'opened rows are wiped', 'for (const secret of this.#rows.values()) secret.wipe();', '', {
    tests: [GUARDS, SECRETS],
  }),
  load(
    'own-wiped',
    'the own keys are wiped',
    "for (const secret of own) if (secret.status === 'fulfilled') secret.value.wipe();",
    '',
    { tests: [GUARDS, SECRETS] },
  ),
  node(
    'vault-wiped',
    'data keys are wiped when a function returns',
    '  wipe(): void {\n    this.vault.wipe();\n  }',
    '  wipe(): void {}',
  ),
  node(
    'send-all',
    'what a queue refuses comes again',
    "if (refused.length > 0) throw new SendRefused(refused.map((index) => messages[index]?.queue ?? 'unknown queue'));",
    '',
    { tests: [GUARDS, CRASH] },
  ),
  node(
    'one-record',
    'a record that fails fails alone',
    'failed.push(delivery.messageId);',
    'failed.push(...batch.map((each) => each.messageId));',
    { tests: [GUARDS] },
  ),

  // ------------------------------------------------------------------------------------------------ coordinator
  coordinator(
    'processor-key',
    'the own processor’s key is signed by the pinned key',
    'if (committee && !verifies(node, committee, coin, payload)) {',
    'if (false) {',
  ),
  coordinator(
    'announced-key',
    '… also what came before the file',
    'if (!verifies(node, committee, coin, { pubkey, generation, signature })) return;',
    '',
  ),
  coordinator(
    'ready-key',
    'a key is shown when its own processor says so',
    "if (!ready || !key || ready['pubkey'] !== key['pubkey']) return;",
    'if (!ready || !key) return;',
  ),
  coordinator(
    'ready-own',
    'SignerReady comes from the own processor',
    'if (sealed.committee !== committee.id || sealed.coin !== coin || sealed.from !== self || sealed.recipient !== self) {',
    'if (false) {',
  ),
  coordinator(
    'ready-signature',
    'and is signed by it',
    "if (!verifySealed(sealed, signatureKey)) return reject('the signature does not verify');",
    '',
    { redundant: 'the statement inside is signed as well, and openSealed verifies it' },
  ),
  coordinator(
    'out-only',
    'only what leaves is forwarded',
    "if (!parsed.ok || !parsed.name.endsWith('Out')) {",
    'if (!parsed.ok) {',
  ),
  coordinator(
    'forward-refused',
    'what a peer’s queue did not take comes again',
    "return { failed: [...new Set(refused.map((index) => parcels[index]?.from ?? ''))] };",
    'return { failed: [] };',
    { tests: [MEMBERSHIP] },
  ),
  coordinator(
    'receive-refused',
    'what the own topic did not take comes again',
    "return { failed: [...new Set(refused.map((index) => accepted[index]?.from ?? ''))] };",
    'return { failed: [] };',
    { tests: [MEMBERSHIP] },
  ),
  coordinator(
    'peer',
    'the sender is the peer whose queue it is',
    "if (!sender || sender.index !== from) return 'the sender is not the peer whose queue this is';",
    "if (!sender) return '';",
  ),
  coordinator(
    'to',
    'a parcel for another operator is dropped',
    "if (to !== ownIndex(committee, node.config.identity)) return 'addressed to another operator';",
    '',
  ),
  coordinator(
    'coin',
    'a parcel of another coin is dropped',
    "if (!committee.isSigner(coin, from)) return 'the committee has no such coin here';",
    '',
  ),
  coordinator(
    'key-owner',
    'a key in a parcel is the sender’s',
    "if (signer !== from || of !== coin) return 'the key is another signer’s or another coin’s';",
    '',
  ),
  coordinator(
    'key-signature',
    '… and signed by it',
    'return verifyProcessorKey({ identity: peer, coin, pubkey, generation }, signature, key)\n      ? undefined',
    'return true\n      ? undefined',
  ),
  coordinator(
    'header',
    'the header says what the parcel says',
    '  if (statement.from !== from || statement.coin !== coin || statement.committee !== committee.id)\n',
    '  if (false)\n',
  ),
  coordinator(
    'type',
    'the parcel names the type of its statement',
    "if (`${statement.type}Out` !== type) return 'the header names another type than the parcel';",
    '',
    { redundant: 'the schema of a parcel holds its type against its payload' },
  ),
  coordinator(
    'signature',
    'a parcel’s statement is signed',
    "return verified ? undefined : 'the signature does not verify';",
    'return undefined;',
  ),
  coordinator(
    'greet-once',
    'a newcomer is greeted once',
    "if (typeof at === 'number' && node.now() < at + GREETING_SECONDS) return;",
    '',
    { tests: [MEMBERSHIP] },
  ),
  coordinator(
    'missed-once',
    'a silence is written down when it begins, and not again',
    "if (row?.['missed'] !== undefined) return;",
    '',
    { tests: [PARCELS] },
  ),
  coordinator(
    'missed-after',
    'a greeting that came meanwhile stays',
    "    condition: row ? { kind: 'equals', attribute: 'at', value: row['at'] as number } : { kind: 'absent' },\n",
    '',
    { tests: [PARCELS] },
  ),
];
