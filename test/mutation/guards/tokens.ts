// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the text of the code that is taken away
/** Guards of tokens: what keeps a credential from being forged, a serial from being spent twice, and a wallet from losing what it has. */
import { type Guard, guardsOf } from '../guard.ts';

const FOUNDATIONS = 'test/coconut/foundations.test.ts';
const ENGINES = 'test/coconut/engines.test.ts';
const ISSUING = 'test/coconut/issuing.test.ts';
const SHOWING = 'test/coconut/showing.test.ts';
const RANGE = 'test/coconut/range-proof.test.ts';
const PAPER = 'test/coconut/range-proof-paper.test.ts';
/** Whatever a challenge covers is in their bytes. */
const VECTORS = 'test/coconut/vectors.test.ts';
const TRANSACTION_VECTORS = 'test/coconut/transaction-vectors.test.ts';
const TRANSACTIONS = 'test/coconut/transactions.test.ts';
const SHAPE = 'test/coconut/transaction-shape.test.ts';
const FORGED = 'test/coconut/transactions-forged.test.ts';
const DEALING = 'test/coconut-keygen/dealing.test.ts';
const SERVICE = 'test/signing-service/service.test.ts';
const DEPLOYED = 'test/signing-service/deployed.test.ts';
const TOLD = 'test/signing-service/told.test.ts';
const CRASH = 'test/signing-service/crash.test.ts';
const RECOVER = 'test/signing-service/recover.test.ts';
const COCONUT_SERVICE = 'test/signing-service/coconut.test.ts';
const CONSERVATION = 'test/simulation-tokens/conservation.test.ts';
const HOSTILE = 'test/wallet/hostile.test.ts';
const STRANGERS = 'test/wallet/strangers.test.ts';
const WALLET = 'test/wallet/wallet.test.ts';
const RECOVERED = 'test/wallet/recovery.test.ts';
const DERIVATION = 'test/wallet/derivation.test.ts';
const PROSPECT = 'test/wallet/prospect.test.ts';
const SUPPLY = 'test/console/tokens.test.ts';
const WITHDRAWALS = 'test/node/withdrawals.test.ts';

const groups = guardsOf('lib/coconut/groups.ts', FOUNDATIONS, ENGINES, ISSUING);
const mcl = guardsOf('lib/coconut/mcl-engine.ts', ENGINES);
const parameters = guardsOf('lib/coconut/coconut.ts', FOUNDATIONS, ISSUING);
const transcript = guardsOf('lib/coconut/transcript.ts', FOUNDATIONS, ISSUING, SHOWING, VECTORS);
const equations = guardsOf('lib/coconut/equations.ts', ENGINES, FOUNDATIONS, SHOWING);
const keys = guardsOf('lib/coconut/keys.ts', ISSUING);
const request = guardsOf('lib/coconut/request.ts', ISSUING, VECTORS);
const issue = guardsOf('lib/coconut/issue.ts', ISSUING);
const show = guardsOf('lib/coconut/show.ts', SHOWING);
const value = guardsOf('lib/coconut/value-commitment.ts', TRANSACTIONS, FORGED);
const range = guardsOf('lib/coconut/range-proof.ts', RANGE, PAPER, TRANSACTION_VECTORS);
const inner = guardsOf('lib/coconut/inner-product.ts', RANGE, PAPER, TRANSACTION_VECTORS);
const bytes = guardsOf('lib/coconut/transaction-bytes.ts', SHAPE, TRANSACTIONS);
const output = guardsOf('lib/coconut/transaction-output.ts', FORGED, TRANSACTIONS);
const proof = guardsOf('lib/coconut/transaction-proof.ts', TRANSACTIONS, FORGED, TRANSACTION_VECTORS);
const verify = guardsOf('lib/coconut/transaction-verify.ts', FORGED, TRANSACTIONS);
const balance = guardsOf('lib/coconut/balance.ts', FORGED, TRANSACTIONS);
const deposit = guardsOf('lib/coconut/deposit.ts', TRANSACTIONS);
const dealing = guardsOf('lib/coconut-keygen/dealing.ts', DEALING);
const serial = guardsOf('lib/signing-service/serial.ts', SERVICE);
const service = guardsOf('lib/signing-service/service.ts', SERVICE, CRASH, CONSERVATION);
const certificate = guardsOf('lib/signing-service/certificate.ts', SERVICE, DEPLOYED);
const recover = guardsOf('lib/signing-service/recover.ts', RECOVER);
const answer = guardsOf('lib/signing-service/answer.ts', DEPLOYED);
const gossip = guardsOf('lib/signing-service/gossip.ts', TOLD);
const network = guardsOf('lib/signing-service/network.ts', SERVICE);
const supply = guardsOf('lib/signing-service/supply.ts', SUPPLY);
const tokens = guardsOf('lib/node/tokens.ts', DEPLOYED);
const withdrawals = guardsOf('lib/node/withdrawals.ts', WITHDRAWALS);
const phases = guardsOf('lib/wallet/phases.ts', PROSPECT, HOSTILE);
const invoice = guardsOf('lib/wallet/invoice.ts', HOSTILE);
const recovery = guardsOf('lib/wallet/recovery.ts', RECOVERED, HOSTILE);
const wallet = guardsOf('lib/wallet/wallet.ts', HOSTILE, WALLET);
const derivation = guardsOf('lib/wallet/derivation.ts', DERIVATION);

export const TOKEN_GUARDS: readonly Guard[] = [
  // ------------------------------------------------------------------------------------------------ encodings
  groups(
    'identity-g1',
    'the identity is no point of G1 that anybody sends (ECASH-02)',
    "  if (point.is0()) throw new CoconutError('IdentityPoint', 'a point of G1 other than the identity', 'the identity');\n",
  ),
  groups(
    'identity-g2',
    'nor of G2',
    "  if (point.is0()) throw new CoconutError('IdentityPoint', 'a point of G2 other than the identity', 'the identity');\n",
  ),
  groups(
    'scalar',
    'a serial has one name: s + r is refused (ECASH-11)',
    "  if (value >= ORDER) throw new CoconutError('BadScalar', 'a scalar below the group order', 'a greater one');\n",
  ),
  groups(
    'own-scalar',
    'a scalar is below r before it multiplies or is encoded',
    "  if (scalar < 0n || scalar >= ORDER) throw new CoconutError('BadScalar', '0 ≤ scalar < r', 'a scalar outside');\n",
    '',
    { tests: [FOUNDATIONS, ISSUING] },
  ),
  groups(
    'length',
    'bytes have the length of what they are read as',
    '  if (bytes.length !== length) throw new CoconutError(',
    '  if (false) throw new CoconutError(',
    { tests: [FOUNDATIONS, ENGINES, ISSUING] },
  ),
  groups(
    'split',
    'a scalar that multiplies again and again is split at random',
    '  return [a, Fr.sub(expectScalar(scalar), a)];',
    '  return [a === 0n ? a : expectScalar(scalar), 0n];',
  ),
  groups('zero-randomness', 'randomness that is zero is none', '  if (scalar === 0n) throw', '  if (false) throw'),
  mcl('subgroup-g1', 'a point outside G1 is refused by the fast engine (ENC-02)', '  mcl.verifyOrderG1(true);\n'),
  mcl('subgroup-g2', 'a point outside G2 too', '  mcl.verifyOrderG2(true);\n'),
  mcl('canonical', 'one point has one encoding', '  if (!equal(point.serialize(), bytes))\n', '  if (false)\n', {
    redundant: 'the pinned version reads no second encoding; the comparison is for another one',
  }),
  mcl('identity', 'the identity is refused (ECASH-02)', '  if (point.isZero())\n    throw', '  if (false)\n    throw'),
  mcl(
    'curve',
    'an engine that was started for another curve computes nothing',
    '  if (mcl.curveType !== mcl.BLS12_381)\n',
    '  if (false)\n',
  ),

  // ------------------------------------------------------------------------------------------------ proofs
  parameters(
    'count',
    'counts are within their ranges',
    '  if (!Number.isInteger(value) || value < 1 || value > most)\n',
    '  if (false)\n',
  ),
  parameters(
    'index',
    'a public attribute has an index of the key, and none of a message (ECASH-04)',
    '    if (!Number.isInteger(index) || index < 0 || index >= attributes)\n',
    '    if (false)\n',
    { tests: [ISSUING, SHOWING] },
  ),
  transcript('label', 'a challenge covers the label of what is said', '      .update(lp(utf8(label)))\n', '', {
    tests: [FOUNDATIONS, VECTORS],
  }),
  transcript(
    'value',
    'and the value (ENC-05)',
    '      .update(lp(bytes));',
    '      .update(lp(bytes.subarray(0, 0)));',
    {
      tests: [FOUNDATIONS, ISSUING],
    },
  ),
  equations(
    'no-records',
    'a batch of nothing proves nothing (ENC-07)',
    "  if (records.length === 0) throw new CoconutError('BadProof', 'at least one record', 'none');\n",
  ),
  equations(
    'no-equations',
    'nor does a record of nothing',
    '    if (inG1.length + inG2.length + products.length === 0)\n',
    '    if (false)\n',
  ),
  equations(
    'weights',
    'errors of a batch do not cancel',
    '    return bytesToNumberBE(bytes);',
    '    return bytes.length === 16 ? 1n : bytesToNumberBE(bytes);',
    { tests: [ISSUING, SHOWING, ENGINES] },
  ),
  keys(
    'distinct-indexes',
    'one service counts once (ECASH-14)',
    '  if (new Set(indexes).size !== indexes.length)\n',
    '  if (false)\n',
  ),
  keys(
    'index-range',
    'an index is one of a committee',
    '    if (!Number.isInteger(index) || index < 1 || index > 31)\n',
    '    if (false)\n',
  ),
  keys(
    'pairing',
    'β_j and β̃_j have one logarithm (ECASH-14)',
    '        [minusOne, base1, verifier.fromG2(betaTilde[j] as G2)],\n',
    '        [minusOne, verifier.fromG1(point), base2],\n',
  ),
  keys('interpolation', 'services share one key, α', '    inG2(({ alpha }) => alpha);\n'),
  keys(
    'interpolation-beta',
    'and each β̃_j',
    '    for (let j = 0; j < attributes; j++) inG2(({ betaTilde }) => betaTilde[j] as G2);\n',
  ),
  keys(
    'counts',
    'a list of keys is whole and in order',
    '  if (serviceKeys.length !== total || serviceKeys.some(',
    '  if (false && serviceKeys.some(',
  ),
  request(
    'base-commitment',
    'h is a hash of the request (ECASH-01)',
    '    lp(commitment),\n',
    '    lp(commitment.subarray(0, 0)),\n',
  ),
  request(
    'base-public',
    'and of its public attributes (ECASH-04)',
    '    list(ascending(disclosed).map(([index, value]) => concat(u16be(index), encodeScalar(value)))),\n',
  ),
  request(
    'shape',
    'a request has as many openings and responses as the key says (ENC-07)',
    '  if (sent.openings.length !== hidden.length || sent.proof.length !== requestProofBytes(hidden.length)) return false;\n',
  ),
  request(
    'challenge',
    'the challenge that came is compared (ECASH-03)',
    '    return c === expected;',
    '    return true;',
  ),
  request(
    'statement-openings',
    'the challenge covers every c_j (ENC-05)',
    "  for (const opening of statement.openings) transcript.append('opening', opening);\n",
  ),
  request(
    'statement-commitment',
    'and com',
    "  transcript.append('commitment', statement.commitment).appendNumber(",
    '  transcript.appendNumber(',
  ),
  request('context', 'and what the request is for', "    .append('context', context)\n"),
  request(
    'openings-count',
    'nobody signs another number of openings than the key has attributes',
    '  if (openings.length !== hidden.length)\n',
    '  if (false)\n',
  ),
  issue(
    'sign-decodes',
    'nothing is multiplied by a secret that is not decoded from canonical points (ENC-02)',
    '  const { openings } = decodeStatement(statement);\n',
    "  const openings = decodeStatement({ ...statement, commitment: Buffer.from('97f1d3a73197d7942695638c4fa9ac0fc3688c4f9774b905a14e3a3f171bac586c55e83ff97a1aeffb3af00adb22c6bb', 'hex') }).openings;\n",
  ),
  issue('enough', 't partial signatures make a credential', '  if (partials.length < threshold)\n', '  if (false)\n'),
  issue(
    'known-index',
    'a partial signature is of a service that has a key',
    "    if (!indexes.has(index)) throw new CoconutError('BadIndexes', 'the index of a service', String(index));\n",
    '    void index;\n',
    { redundant: 'no credential comes of it, and the search for who is to blame finds no key for it either' },
  ),
  issue(
    'credential-identity',
    'the identity is no credential (ECASH-02)',
    ' || h.is0() || s.is0()) return false;',
    ') return false;',
  ),
  issue(
    'verified',
    'what was aggregated is checked before it is a credential',
    '  if (verifyCredential(verificationKey, credential, tools.random)) return { ok: true, credential };',
    '  if (credential) return { ok: true, credential };',
  ),
  show(
    'serial-zero',
    'the serial 0 is not shown: its tag is the identity',
    '  if (hidden.includes(SERIAL) && attributes[SERIAL] === 0n)\n',
    '  if (false)\n',
  ),
  show(
    'nonce-once',
    'one set of nonces answers one challenge',
    "      if (answered) throw new CoconutError('BadProof', 'one challenge for one set of nonces', 'a second one');\n",
  ),
  show(
    'statement',
    'the challenge covers h′, s′ and κ (ENC-05)',
    "  transcript.append('h', h).append('s', s).append('kappa', kappa);\n",
  ),
  show(
    'statement-tag',
    'and the tag',
    "return tag ? transcript.append('tag', tag) : transcript;",
    'return transcript;',
  ),
  show(
    'tag-equation',
    'the tag is of the serial that is shown',
    '  if (shown.tag && first.tag)\n',
    '  if (shown.tag && first.tag && !shown.tag)\n',
  ),
  show(
    'tag-there',
    'a show has a tag where the serial is hidden, and only there',
    '  if ((shown.tag !== undefined) !== tagged || (first.tag !== undefined) !== tagged)\n',
    '  if (false)\n',
    { redundant: 'bytes of another length are no show of that key' },
  ),
  show(
    'empty',
    'a batch of no shows proves nothing (ENC-07)',
    "  if (batch.length === 0) throw new CoconutError('BadShow', 'at least one show', 'none');\n",
  ),
  range(
    'count',
    'a proof about no value is none (ENC-07)',
    '  if (!Number.isInteger(count) || count < 1 || count > MAX_RANGE_VALUES)\n',
    '  if (false)\n',
  ),
  range(
    'length',
    'a proof is as long as its bits say',
    '  expectLength(bytes, rangeProofBytes(count), `a range proof of ${count}`);\n',
  ),
  range(
    'statement',
    'the challenge covers every V (ENC-05)',
    "  for (const V of commitments) transcript.append('V', V);\n",
  ),
  range('statement-count', 'and how many values there are', ".appendNumber('m', commitments.length);", ';'),
  range('first', 'y and z come after A and S', "  transcript.append('A', A).append('S', S);\n"),
  range(
    'second',
    'x comes after T_1 and T_2',
    "transcript.append('T1', T1).append('T2', T2).challenge('x')",
    "transcript.challenge('x')",
  ),
  range(
    'third',
    'w comes after t̂',
    "transcript.appendScalar('tau_x', tauX).appendScalar('mu', mu).appendScalar('t', tHat).challenge('w')",
    "transcript.appendScalar('tau_x', tauX).appendScalar('mu', mu).challenge('w')",
  ),
  range('value', 'a value is proven only below 2⁶⁴', '  for (const { value } of opened) expectValue(value);\n', '', {
    redundant: 'what is cut off at 64 bits does not verify; the check names the fault to who made it',
  }),
  inner('rounds', 'as many halvings as the size has', '  if (2 ** rounds.length !== size)\n', '  if (false)\n', {
    redundant: 'a range proof of the right length has that many',
  }),
  inner(
    'challenge',
    'each halving’s challenge comes after its L and R',
    "  const x = transcript.append('L', L).append('R', R).challenge('x');",
    "  const x = transcript.append('L', L).challenge('x') + BigInt(R.length - R.length);",
  ),
  value(
    'bits',
    'a value has 64 bits (ECASH-16)',
    "  if (typeof value !== 'bigint' || value < 0n || value >= LIMIT)\n",
    '  if (false)\n',
    {
      tests: [TRANSACTIONS, RANGE],
    },
  ),
  value(
    'sum',
    'a sum of values is one',
    '  return expectValue(values.reduce((sum, value) => sum + expectValue(value), 0n));',
    '  return values.reduce((sum, value) => sum + expectValue(value), 0n);',
  ),

  // ------------------------------------------------------------------------------------------------ transactions
  bytes(
    'ended',
    'nothing follows a transaction: its bytes are one',
    "    return reader.ended ? content : 'BadShape';",
    '    return content;',
  ),
  bytes(
    'most',
    'at most eight of each, before anything is read',
    "    if (Math.max(inputs, outputs, deposits) > MAX_SIDE) return 'TooMany';\n",
  ),
  bytes('version', 'of this version', '    if (version !== VERSION || withdraws > 1)', '    if (withdraws > 1)', {
    redundant: 'the schema of the content names the version',
  }),
  bytes(
    'proof-length',
    'proofs are as long as the counts say',
    '    proof.length === transactionProofBytes(inputs.length) &&\n',
  ),
  bytes('proof-scalars', 'and their scalars below r (ECASH-11)', '    areScalars(proof) &&\n'),
  bytes('owner-scalars', 'an owner’s proof too', ' && areScalars(ownerProof)) &&', ') &&'),
  bytes('range-shape', 'and the range', ': isRangeProofShaped(range, outputs.length))', ': true)'),
  bytes(
    'withdraw-text',
    'a recipient has one encoding',
    '  if (withdraw && !(withdraw.recipient.isWellFormed() && withdraw.memo.isWellFormed())) return BAD;\n',
  ),
  output(
    'serial-zero',
    'no output has the serial 0',
    "  if (expectScalar(serial) === 0n) throw new CoconutError('BadAttributes', 'a serial other than zero', 'zero');\n",
  ),
  output(
    'challenge',
    'the owner’s challenge is computed, never believed',
    '  return c === expected ? V : undefined;',
    '  return c !== expected || c === expected ? V : undefined;',
  ),
  output('statement-value', 'V is under its owner’s proof (ENC-05)', "    .append('V', V)\n"),
  output('opens', 'an invoice’s V holds the amount', ' && opensTo(output.value, invoiced)', '', {
    tests: [HOSTILE, TRANSACTIONS],
  }),
  proof(
    'balanced',
    'a plan that does not balance is not made',
    '  if (coming + deposited !== going + withdrawn)\n',
    '  if (false)\n',
  ),
  proof(
    'once',
    'each token and output once',
    '  if (serials.size !== inputs.length || requests.size !== outputs.length)\n',
    '  if (false)\n',
  ),
  proof(
    'statement',
    'the challenge covers all that is stated (ENC-05)',
    "    .append('statement', encodeStatement(statement))\n",
    '',
    { tests: [FORGED, TRANSACTIONS] },
  ),
  proof('network', 'and who verifies', "    .append('network', utf8(network))\n"),
  proof('key', 'and under which key (ECASH-15)', "    .append('key', key.id)\n"),
  proof(
    'nonces',
    'the nonces follow from the plan',
    '  const random = randomnessOf(planHash(context, credentials, stated));',
    '  const random = randomnessOf(new Uint8Array(32).fill(stated.outputs.length > 99 ? 1 : 0));',
    { tests: [TRANSACTIONS, HOSTILE] },
  ),
  verify(
    'epoch',
    'a transaction is of this epoch (ECASH-15)',
    "  if (transaction.epoch !== context.epoch) return 'WrongEpoch';\n",
  ),
  verify('asset', 'and of this asset', "  if (transaction.asset !== context.asset) return 'BadShape';\n"),
  verify(
    'deposited',
    'deposits are signed',
    "  return areDeposited(context, context.depositors, transaction) ? undefined : 'BadDeposit';",
    '  return undefined;',
  ),
  verify(
    'empty',
    'a transaction of nothing proves nothing (ENC-07)',
    "  if (transaction.inputs.length + transaction.outputs.length === 0) return 'BadShape';\n",
    '',
    { redundant: 'nothing is read as a transaction that has nothing coming in or nothing going out' },
  ),
  verify(
    'owner',
    'every output is proven by its owner',
    "    if (!point) return 'BadProof';\n",
    '    if (!point) continue;\n',
  ),
  verify(
    'challenge',
    'the challenge that came is only compared',
    "  if (transcript.challenge('c') !== c) return 'BadProof';\n",
    "  transcript.challenge('c');\n",
  ),
  verify(
    'balance',
    'what comes in is what goes out',
    "  if (!isBalanced(transcript, verifier, balance, { c: cBalance, z: zBalance })) return 'Unbalanced';\n",
  ),
  verify(
    'sums',
    'visible sums are below 2⁶⁴',
    "  if (deposited === undefined || withdrawn === undefined) return 'OutOfRange';\n",
    '  if (deposited === undefined || withdrawn === undefined) return undefined as never;\n',
  ),
  verify(
    'signed',
    'what is shown was signed',
    '  const signed = inputs.length === 0 ? undefined : together(...inputs.map(({ pairing }) => pairing));',
    '  const signed = inputs.length >= 0 ? undefined : together(...inputs.map(({ pairing }) => pairing));',
  ),
  verify(
    'range',
    'outputs are in range',
    '  return { signed, range: rangeLeft };',
    '  return { signed, range: undefined };',
  ),
  balance('challenge', 'the balance’s challenge is computed', ".challenge('c_E') === c;", ".challenge('c_E') >= 0n;"),
  balance(
    'visible',
    'what everybody sees is part of it',
    '    [Fr.mul(minus, Fr.create(withdrawn - deposited)), verifier.fromG1(valueGenerator())],\n',
  ),
  deposit('owner', 'a deposit is for these outputs', 'toHex(deposit.owner) !== owner || ', ''),
  deposit('count', 'exactly k depositors', ' || signatures.length !== required) return false;', ') return false;'),
  deposit(
    'ascending',
    'in one order, each once',
    "    if (!signatures.every(({ key }, i) => i === 0 || key > (signatures[i - 1]?.key ?? ''))) return false;\n",
  ),
  deposit('known', 'of the committee’s depositors', 'keys.includes(key) && ', ''),
  deposit(
    'signature',
    'who signed this',
    ' && verifies(bytes, signature, key));',
    ' && bytes.length > 0 && signature.length > 0);',
  ),
  deposit(
    'nobody',
    'a deposit for nobody’s outputs is none',
    '  if (outputs.length === 0) return deposits.length === 0;\n',
  ),
  dealing(
    'rows',
    'as many commitments as t, in every row (DKG-01)',
    '  if ([alpha, ...beta, ...betaTilde].some((row) => row.length !== t)) return undefined;\n',
  ),
  dealing(
    'kinds',
    'and as many rows as attributes',
    '  if (beta.length !== ATTRIBUTES || betaTilde.length !== ATTRIBUTES) return undefined;\n',
  ),
  dealing('proofs', 'and proofs', ' || proofsY.length !== ATTRIBUTES) return undefined;', ') return undefined;'),
  dealing(
    'share-zero',
    'a share of zero is none',
    '  if (x === 0n || y.includes(0n) || y.length !== beta.length) return false;\n',
  ),
  dealing(
    'share-alpha',
    'a share lies on α’s polynomial',
    '    equal(inG2(x), verifier.encodeG2(at.inG2(alpha))) &&\n',
  ),
  dealing(
    'identity',
    'no part of a key is the identity (DKG-02)',
    '  return hasIdentity(verifier, columns) ? undefined : columns;',
    '  return columns;',
  ),

  // ------------------------------------------------------------------------------------------------ services
  serial(
    'lock',
    'a serial is locked to one transaction (ECASH-08)',
    "      return state.by === by ? { kind: 'unchanged' } : { kind: 'refused', reason: 'Locked', by: state.by };",
    "      return { kind: 'unchanged' };",
  ),
  serial(
    'spent',
    'and spent once',
    "      return state.by === by ? { kind: 'unchanged' } : { kind: 'refused', reason: 'Spent', by: state.by };",
    "      return { kind: 'unchanged' };",
  ),
  serial(
    'broken',
    'two certificates of one serial are seen',
    "      return state.by === by ? { kind: 'unchanged' } : { kind: 'broken', by: state.by };",
    "      return { kind: 'unchanged' };",
  ),
  service('asset', 'of this asset', "    if (asset !== context.asset) return 'BadShape';\n"),
  service(
    'withdraw-nothing',
    'nobody is told of a withdrawal of nothing',
    "    if (withdraw && BigInt(withdraw.amount) === 0n) return 'BadShape';\n",
  ),
  service(
    'tags',
    'a tag counts once in a transaction (ECASH-16)',
    ' || new Set(tags).size !== tags.length) return',
    ') return',
  ),
  service('nothing', 'a transaction consumes something (ENC-07)', 'tags.length + deposits.length === 0 || ', ''),
  service(
    'deposits',
    'a deposit counts once',
    "    if (new Set(deposits.map(({ depositId }) => depositId)).size !== deposits.length) return 'BadShape';\n",
  ),
  service(
    'epoch',
    'of this epoch (ECASH-15)',
    "    return epoch === context.epoch ? undefined : 'WrongEpoch';",
    '    return undefined;',
  ),
  service(
    'deposited',
    'deposits are signed',
    "    return this.#scheme.deposited(transaction) ? undefined : 'BadDeposit';",
    '    return undefined;',
  ),
  service(
    'proven',
    'proofs are checked before anything is locked',
    '      answers[at] = reason ? this.#refused(transaction.id, { reason }) : await',
    '      answers[at] = reason === undefined && reason ? this.#refused(transaction.id, { reason }) : await',
  ),
  service(
    'write-once',
    'a lock is taken where nothing lies',
    "        item: serialItem(of, { kind: 'locked', by: transaction.id }),\n        condition: { kind: 'absent' },\n",
    "        item: serialItem(of, { kind: 'locked', by: transaction.id }),\n",
  ),
  service(
    'recorded-once',
    'a vote is written once',
    "        item: { ...transactionKey(id), bytes, ...vote },\n        condition: { kind: 'absent' },\n",
    '        item: { ...transactionKey(id), bytes, ...vote },\n',
    {
      redundant:
        'the serials of a transaction are written once in the same transaction of the table, and one that is recorded already has them',
    },
  ),
  service(
    'stored-vote',
    'the same request has the same answer',
    '        if (stored) return { answer: { index: this.index, ...stored } };\n',
  ),
  service(
    'cap',
    'a leaked depositor prints up to the cap',
    "    if (total > cap) return { answer: this.#refused(id, { reason: 'DepositCap' }) };\n",
  ),
  service(
    'cap-race',
    'also if two deposits come at once',
    "          typeof before === 'string' ? { kind: 'equals', attribute: 'total', value: before } : { kind: 'absent' },\n",
    "          { kind: 'absentOrEquals', attribute: 'pk', value: depositedKey(asset, epoch).pk },\n",
  ),
  service(
    'key-threshold',
    'a key is shared among as many as have to vote',
    '    if (coconut.threshold !== t)\n',
    '    if (coconut.threshold > 31)\n',
    { tests: [COCONUT_SERVICE] },
  ),
  service(
    'cap-once',
    'one deposit delivered twice at once is counted once',
    `    const total = transactions.some(({ deposits }) => deposits.length > 0)
      ? await this.#store.get('Serials', depositedKey(asset, epoch))
      : undefined;
    const [answered, serials] = await Promise.all([
`,
    `    const [total, answered, serials] = await Promise.all([
      this.#store.get('Serials', depositedKey(asset, epoch)),
`,
    { tests: [SERVICE] },
  ),
  service(
    'read-only',
    'a service whose locks may have gaps never votes',
    '    return (await tablesOf(this.#store)) !== this.#setting.began;',
    '    return (await tablesOf(this.#store)) === undefined;',
  ),
  service('halted-vote', 'a halted service does not vote', "    if (await this.#halted()) return 'Halted';\n"),
  service(
    'halted-issue',
    'nor sign',
    "    if (await this.#halted()) return this.#refused(id, { reason: 'Halted' });\n",
    '',
    { redundant: 'the switch is a condition of the transaction that lets a signature leave', tests: [SERVICE] },
  ),
  service(
    'halt-condition',
    'also if it is halted in between',
    "      { kind: 'check', table: 'Keys', key: this.#setting.halt, condition: { kind: 'absent' } },\n",
  ),
  service(
    'certified',
    't votes are needed to sign',
    "    if (!certifies(this.quorum, certificate)) return this.#refused(id, { reason: 'BadProof' });\n",
  ),
  service('learnt', 'and to believe a peer', '    if (!certifies(this.quorum, certificate)) return false;\n'),
  service(
    'same-vote',
    'the certificate is of this transaction’s content',
    '    if (!transaction || !sameVote(vote, voteOf(transaction))) return',
    '    if (!transaction) return',
  ),
  service(
    'carried',
    'carried bytes are those of the id',
    'reading.ok && reading.transaction.id === id ?',
    'reading.ok ?',
    { redundant: 'the vote names the id as well, and is compared with the vote on what was carried' },
  ),
  service(
    'issued-once',
    'signatures are made once',
    '    const issued = stored ? signaturesIn(stored) : await',
    '    const issued = stored && !stored ? signaturesIn(stored) : await',
    { tests: [SERVICE, CRASH] },
  ),
  service(
    'spent-from-read',
    'a serial is spent from the state that was read',
    "    condition: typeof before === 'string' ? { kind: 'equals', attribute: 'state', value: before } : { kind: 'absent' },\n",
    '',
    { tests: [CRASH, CONSERVATION, SERVICE] },
  ),
  service(
    'announced',
    'a withdrawal is told with the certificate that was stored',
    '    await withdrawn({ transaction: id, ...withdraw, certificate: first ?? certificate });',
    '    await withdrawn({ transaction: id, ...withdraw, certificate: first && certificate });',
  ),
  certificate(
    'quorum',
    '2t > n + f, or no service starts (ECASH-08)',
    '  if (2 * t <= n + f && !simulation)\n',
    '  if (false)\n',
    { tests: [SERVICE, CONSERVATION] },
  ),
  certificate(
    'signature',
    'every vote is signed',
    '    if (key === undefined || !verifyVote(context, vote, signature, key)) return false;\n',
    '    if (key === undefined) return false;\n',
  ),
  certificate('distinct', 'a service votes once', '  return voters.size >= t;', '  return signatures.length >= t;'),
  certificate('count', 't of them', '  return voters.size >= t;', '  return voters.size >= 1;'),
  certificate(
    'withdraw',
    'a vote names what is withdrawn',
    '    withdraw: withdrawHash(withdraw),\n',
    '    withdraw: withdrawHash(undefined),\n',
    { tests: [SERVICE, DEPLOYED, WITHDRAWALS] },
  ),
  certificate(
    'ended',
    'nothing follows a certificate',
    ' || !signatures || !reader.ended) return undefined;',
    ' || !signatures) return undefined;',
  ),
  certificate(
    'length',
    'a count is held against what is there',
    '    if (count === undefined || count * (length + 4) > this.#bytes.length - this.#at) return undefined;\n',
    '    if (count === undefined) return undefined;\n',
    { redundant: 'the first item that is missing ends the reading, before anything is made for the others' },
  ),
  recover(
    'certified-first',
    'what is certified is told first',
    '  const lists = [true, false].flatMap(',
    '  const lists = [false, true].flatMap(',
  ),
  recover('bounded', 'the work of an answer is bounded', '      limit: left + 1,\n', '      limit: 1_000,\n', {
    redundant: 'what is told is cut to the same number; the limit is of what is read',
  }),
  recover(
    'all',
    'and all is told in the end',
    '    if (rows.length > left)\n',
    '    if (rows.length > left && certified)\n',
  ),
  recover(
    'after',
    'each once',
    '      after: i === 0 && from >= 0 ? after?.transaction : undefined,\n',
    '      after: undefined,\n',
  ),
  service('found', 'what is certified is found as such', '      ...this.#found(transaction, true),\n', '', {
    tests: [RECOVER],
  }),
  answer(
    'signature',
    'an answer is the service’s (forged refusals)',
    '  if (!verifies(signedBytes(scope, name, request, text), signature, signatureKey)) return undefined;\n',
    '',
    { tests: [DEPLOYED] },
  ),
  answer(
    'request',
    'and to this question',
    ' fromHex(request), lp(text)',
    ' fromHex(request).subarray(0, 0), lp(text)',
  ),
  answer(
    'index',
    'and says the index that signed it',
    '  return parsed.success && parsed.data.index === index ?',
    '  return parsed.success ?',
    { redundant: 'a service that signs another’s index says it in its own name' },
  ),
  answer(
    'gateway',
    'only the operator’s gateways are answered',
    "  return gateways.find((queue) => queue.slice(queue.lastIndexOf(':') + 1) === replyTo);",
    '  return gateways.find((queue) => queue !== replyTo) ?? gateways[0];',
  ),
  network(
    'vote',
    'a vote that does not verify is none',
    ' || !verifyVote(context, answer.vote, answer.signature, key)',
    '',
  ),
  network(
    'enough',
    'fewer than t votes are no certificate',
    '    if (!best || best.signatures.length < t) {',
    '    if (!best) {',
  ),
  network(
    'transaction',
    'an answer to another transaction is none',
    ' && answer.transaction === certificate.vote.transaction)',
    ')',
  ),
  network(
    'all-issues',
    'one service that lies takes nobody’s credential',
    '    return issued.sort((a, b) => a.index - b.index);\n',
    '    return issued.sort((a, b) => a.index - b.index).slice(0, t);\n',
    { tests: [COCONUT_SERVICE] },
  ),
  tokens(
    'peer-committee',
    'gossip is of this committee',
    "  if (body.committee !== committee.id) return reject('another committee');\n",
    '',
    { redundant: 'its certificates prove themselves' },
  ),
  tokens('peer-signature', 'and signed by a peer', " || reject('the signature does not verify');", ' || true;'),
  tokens(
    'peer-member',
    'of the asset',
    "  if (!committee.isSigner(coin, body.from)) return reject('from nobody of this committee');\n",
    '',
    { redundant: 'who is no member has no key to verify with: the look-up throws' },
  ),
  tokens('gossip-learnt', 'what is certified is learnt', '    if (await opened.service.learn(certificate)) bad--;\n'),
  tokens(
    'told-anyway',
    'whatever becomes of ceremonies',
    '    // One ceremony that fails each time must keep nobody from hearing what is spent.\n    failed = error;\n',
    '    throw error;\n',
  ),
  tokens(
    'told-pages',
    'and told page after page',
    '    if (certificates.length === 0 || upTo >= now - SETTLED_SECONDS) return;\n',
    '    return;\n',
  ),
  tokens('gossip-epoch', 'of this epoch', '  if (epoch !== opened.epoch)\n', '  if (false)\n', {
    redundant: 'the answer is of the own epoch whatever was asked',
  }),
  tokens(
    'recovered-read-only',
    'a service of restored tables says so',
    '      ...(readOnly ? ({ readOnly } as const) : {}),\n',
  ),
  gossip(
    'position-tables',
    'what was told to other tables than these is asked for again',
    " && row?.['tables'] === from?.tables ? at",
    ' ? at',
    { tests: [DEPLOYED] },
  ),
  gossip(
    'told-seldom',
    'what a peer tells costs one write in ten minutes',
    '  if (before && now < before.at + TOLD_SECONDS) return;\n',
  ),
  gossip(
    'silent-beside',
    'nobody is silent beside fewer than could issue with this service',
    'return later.length >= Math.max(1, t - 1);',
    'return later.length >= 1;',
  ),
  gossip('silent-lately', 'nor before its time', '>= last + lately);', '> last);'),
  withdrawals(
    'row',
    'a withdrawal is bound to one payment when a share leaves',
    "      condition: { kind: 'absentOrEquals', attribute: 'payment', value: payment },\n",
  ),
  withdrawals(
    'shown',
    'and a later request is held against it',
    "  return { proof, boundTo: typeof boundTo === 'string' ? boundTo : undefined };",
    '  return { proof, boundTo: boundTo === 0 ? `${boundTo}` : undefined };',
  ),
  withdrawals(
    'first',
    'what was shown first stays',
    "condition: { kind: 'absent' } });\n}\n\n/** What was shown for this ceremony. */",
    '});\n}\n\n/** What was shown for this ceremony. */',
    { redundant: 'only a withdrawal that the policy allows is kept, and one ceremony has one message' },
  ),

  // ------------------------------------------------------------------------------------------------ wallets
  phases(
    'vote',
    'a vote is for this very transaction',
    '      if (key && verifyVote(quorum.context, vote, answer.signature, key)) votes.set',
    '      if (key) votes.set',
    {
      tests: [HOSTILE],
      redundant:
        'an answer is signed, and an honest service votes for nothing else; f that lie delay a wallet that would make a certificate of their votes',
    },
  ),
  phases('culprits', 'who signs wrongly is named and replaced', '      partials.delete(index);\n', '', {
    tests: [HOSTILE],
  }),
  phases(
    'sharers',
    'a partial signature of a service without a share is wrong, and no reason to give up',
    ' || !sharers.has(answer.index)',
    '',
    { tests: [STRANGERS] },
  ),
  phases('prospect-phase', 'what is certified is never given up', "  if (phase === 'certificate') return 'unheard';\n"),
  phases(
    'prospect-liars',
    'f that lie cannot make a wallet forget what they may still certify',
    "  if (keys.size - (final - f) < t) return 'never';",
    "  if (keys.size - final < t) return 'never';",
  ),
  phases(
    'prospect-silent',
    'a service that is halted has not refused for good',
    "reason === 'Halted' || reason === 'ReadOnly' ? [] : [index]",
    'reason.length === 0 ? [] : [index]',
  ),
  invoice('key', 'an invoice is for this key', '  if (ofKey !== keyId) throw', '  if (false) throw', {
    redundant: 'the proofs of its outputs are under the key',
  }),
  invoice('twice', 'and has two outputs', '  if (token.commitment === marker.commitment) throw', '  if (false) throw'),
  invoice(
    'proven',
    'that hold what it says',
    '    if (!isOutputOf(verifier, fromHex(keyId), output, opening))\n',
    '    if (false)\n',
  ),
  recovery('enough', 't services have told all', '  if (told.size < t)\n', '  if (false)\n'),
  recovery('certificate', 'a certificate is of this transaction', ' && certifies(quorum, certificate);', ';', {
    redundant: 'services refuse what certifies nothing',
  }),
  recovery(
    'pages',
    'all pages are asked for',
    '        else if (!place) told.add(index);',
    '        else told.add(index);',
  ),
  recovery(
    'read-only',
    'the end of a restored table is not the end',
    '        if (restored) readOnly.add(index);\n        else if',
    '        if (restored) readOnly.add(index);\n        if',
  ),
  recovery(
    'one-answer',
    'parts of two answers are no answer',
    '    const name = `${index} ${list} ${of}`;',
    '    const name = `${index} ${of}`;',
  ),
  wallet(
    'marker',
    'only what would be found again is a payment',
    '        if (!mine.some(({ own }) => sameOutput(own.output, token))) continue;\n',
  ),
  wallet(
    'held',
    'tokens of a transaction that may be certified are not used again',
    '    return this.tokens.filter(({ tag }) => !held.has(tag));',
    '    return held.size >= 0 ? this.tokens : [];',
  ),
  wallet('spent', 'a repeated step brings no spent token back', '    if (this.#spent.has(tag)) return;\n'),
  wallet('settled', 'what was begun is finished first', '      await this.#settle();\n'),
  wallet(
    'paid-before',
    'an invoice is paid once by a wallet that forgot',
    '        if (!(done instanceof NetworkRefused)) return done;\n        if (this.#pending.has(each.id)',
    '        if (this.#pending.has(each.id)',
    { tests: ['test/wallet/crash.test.ts'] },
  ),
  wallet(
    'proven',
    'what one service says is believed as far as it proves itself',
    '    return verifyTransaction(this.#context, transaction, this.#setting.verifier, this.#random).ok;',
    '    return true;',
    { tests: [STRANGERS] },
  ),
  wallet(
    'proven-restored',
    'nothing else is sent on by a wallet that is restored',
    '          if (fresh && this.#isProven(found)) await',
    '          if (fresh) await',
    { tests: [STRANGERS] },
  ),
  wallet(
    'paid-certified',
    'what is not certified moves no window: its service may be silent when the wallet is restored',
    '      if (own && own.invoiced.value > 0n) mine.push(',
    '      if (own) this.#paid = Math.max(this.#paid, (number ?? -1) + 1);\n      if (own && own.invoiced.value > 0n) mine.push(',
    { tests: [STRANGERS] },
  ),
  wallet(
    'others-unheard',
    'what a payer divided keeps nobody else from what there is besides',
    " && (own || error.phase === 'certificate')) throw error;",
    ') throw error;',
    { tests: [STRANGERS] },
  ),
  wallet(
    'asked',
    'no token is shown that another wallet of the seed may have shown',
    '      if (unasked.length === 0) return inputs;',
    '      if (unasked.length >= 0) return inputs;',
    { tests: [STRANGERS] },
  ),
  wallet(
    'asked-only',
    'and services are asked about no other',
    '    const known = new Set(this.#tokens.keys());',
    '    const known = new Set(tags);',
    { tests: [STRANGERS] },
  ),
  wallet(
    'spent-kept',
    'nor does one that is opened from its cache bring it back',
    '    for (const tag of kept.spent) this.#spent.add(tag);\n',
    '',
    { tests: [STRANGERS] },
  ),
  wallet(
    'saved-in-order',
    'what is kept is the latest state',
    '    const save = this.#saving.then(() => this.#saveNow());',
    '    const save = this.#saveNow();',
    { tests: [STRANGERS] },
  ),
  wallet(
    'readable',
    'nothing is sent that no service reads',
    '    if (!readTransaction(transactionContentOf(made)).ok)\n',
    '    if (false)\n',
    { tests: [STRANGERS] },
  ),
  derivation(
    'nonces',
    'two salts of one marker have other nonces',
    "    const nonces = this.stream('nonces', where, u64be(value), u64be(carried));",
    "    const nonces = this.stream('nonces', where, u64be(value));",
  ),
  derivation(
    'whole',
    'an output is one’s own only in every byte',
    '    return own && sameOutput(own.output, output) ? own : undefined;',
    '    return own;',
  ),
  derivation(
    'serial',
    'two amounts of one place are two tokens',
    "    const fixed = this.stream('output', where, u64be(value));",
    "    const fixed = this.stream('output', where, u64be(value & 0n));",
  ),
  derivation('key', 'one seed shares nothing between keys', "concat(tagged('wallet'), keyId));", "tagged('wallet'));"),

  // ------------------------------------------------------------------------------------------------ supply
  supply(
    'settled',
    'what may still be written is not added up yet',
    'Math.min(now - SETTLED_SECONDS, ',
    'Math.min(now, ',
  ),
  supply(
    'once',
    'no certificate is added up twice',
    'if (!(at > supply.upTo && at <= upTo)) continue;',
    'if (!(at >= supply.upTo && at <= upTo)) continue;',
  ),
  supply(
    'young',
    'what is added up later is not added up now',
    'if (!(at > supply.upTo && at <= upTo)) continue;',
    'if (!(at > supply.upTo)) continue;',
  ),
  supply('unseen', 'what is not known is said', 'if (amounts.includes(undefined)) unseen += 1;', ''),
  supply(
    'sums-raced',
    'of two that add up one writes',
    "    condition: row ? { kind: 'equals', attribute: 'upTo', value: before.upTo } : { kind: 'absent' },\n",
    '',
    {
      redundant:
        'the sums and how far they reach are one row: an older one is an older truth, from which the rest is added again',
    },
  ),
  supply(
    'count-raced',
    'of two that count neither is lost',
    "        condition: row ? { kind: 'equals', attribute: 'version', value: version } : { kind: 'absent' },\n",
    '',
  ),
  supply(
    'count-lost',
    'a count that is lost fails no answer, and a defect is not hidden',
    'if (![Throttled, Unavailable, UnknownOutcome, LimitExceeded].some((kind) => error instanceof kind)) throw error;',
    '',
  ),
];
