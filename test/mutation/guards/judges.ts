// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the text of the code that is taken away
/** Guards of what strangers rely on: evidence that convicts only the guilty, and secrets that open only where they belong. */
import { type Guard, guardsOf } from '../guard.ts';

const VERIFY = 'test/evidence/verify.test.ts';
const KEYGEN = 'test/ceremonies/keygen.test.ts';
const SIGNING = 'test/ceremonies/signing.test.ts';
const HOSTILE = 'test/ceremonies/hostile.test.ts';
const VAULT = 'test/vault/vault.test.ts';

const verify = guardsOf('lib/evidence/verify.ts', VERIFY, KEYGEN, SIGNING, HOSTILE);
const dealing = guardsOf('lib/keygen/frost-scheme.ts', VERIFY, HOSTILE, KEYGEN);
const find = guardsOf('lib/evidence/find.ts', HOSTILE, KEYGEN, VERIFY);
const vault = guardsOf('lib/vault/vault.ts', VAULT, 'test/node/restore.test.ts');
const secret = guardsOf('lib/vault/secret.ts', VAULT, 'test/node/secrets.test.ts');

export const JUDGE_GUARDS: readonly Guard[] = [
  verify(
    'committee',
    'evidence is of this committee',
    "if (evidence.committee !== committee.id) return nothing('the evidence is of another committee');",
    '',
    { redundant: 'every statement names the committee too, and is held to it' },
  ),
  verify(
    'authentic',
    'every statement is signed by a member',
    "if (!authentic(committee, statement)) return nothing('a statement is not signed by a member of this committee');",
  ),
  verify(
    'one-ceremony',
    'all statements are of one ceremony',
    '    if (statement.coin !== first.coin || statement.ceremony !== first.ceremony)\n',
    '    if (false)\n',
  ),
  verify('authentic-committee', 'of this committee', 'statement.committee === committee.id &&', ''),
  verify('authentic-coin', 'of a member for the coin', 'committee.isSigner(statement.coin, statement.from) &&', ''),
  verify(
    'authentic-signature',
    'under its key',
    ' &&\n    verifyStatement(statement, committee.signatureKey(statement.coin, statement.from))',
    '',
  ),
  verify(
    'two',
    'a contradiction has two statements',
    "if (!b) return 'expected two statements, got one';",
    'if (!b) return undefined;',
  ),
  verify(
    'one-place',
    'for one place',
    "if (a.type !== b.type || a.slot !== b.slot || a.from !== b.from) return 'the statements are for different places';",
  ),
  verify(
    'one-reader',
    'and one reader',
    "if (TO_ONE.has(a.type) && a.to !== b.to) return 'the statements are for different readers';",
  ),
  verify(
    'different',
    'that differ',
    "return statementHash(a) === statementHash(b) ? 'the statements are the same' : undefined;",
    'return undefined;',
  ),
  verify(
    'key-statement',
    'a key statement about this ceremony is no fault',
    "return fits ? 'the key statement is well formed' : undefined;",
    'return undefined;',
  ),
  verify(
    'commitment-type',
    'a commitment is judged as one',
    "if (first.type !== 'EncryptedKeyGenCommitment') return 'expected a key or a commitment statement';",
  ),
  verify(
    'commitment-announced',
    'beside its announcement',
    "if (!announced) return 'expected the key statement of the same participant, to know the parameters';",
    'if (!announced) return undefined;',
  ),
  verify(
    'commitment-hash',
    'another commitment than the announced is a fault',
    'if (announced.commitmentHash !== statementHash(first)) return undefined;',
  ),
  verify(
    'commitment-good',
    'a good dealing is none',
    "return fault === undefined ? 'the commitments and their proofs are good' : undefined;",
    'return undefined;',
  ),
  dealing('commitment-bad', 'a bad dealing is one', 'if (!verified.ok) return verified.reason;', ''),
  dealing(
    'commitment-small-order',
    'a small-order part is one',
    'return hasSmallOrderPart(suite, dealing.commitments)\n',
    'return false\n',
  ),
  verify(
    'share-type',
    'a share is judged as one',
    "if (first.type !== 'EncryptedKeyShare') return 'expected a share statement';",
    '',
  ),
  verify(
    'share-sources',
    'beside its sender’s commitments',
    "const committed = statements.find((each) => each.type === 'EncryptedKeyGenCommitment' && each.from === first.from);",
    "const committed = statements.find((each) => each.type === 'EncryptedKeyGenCommitment');",
  ),
  verify(
    'share-reader',
    'a share for nobody has no fault',
    "if (!signers.includes(first.to)) return 'the share is for nobody of this ceremony';",
  ),
  verify(
    'share-encoding',
    'a share that is no scalar is a fault',
    'if (!share.ok || !scheme.isShare(share.content)) return undefined;',
    "if (!share.ok) return 'not a share';",
  ),
  verify(
    'share-shape',
    'a malformed commitment is another fault',
    "if (!dealt.ok || !scheme.hasShape({ ceremony: first.ceremony, t, signers }, dealt.content))\n    return 'the commitment statement is malformed: that is another fault';",
    "if (!dealt.ok) return 'malformed';",
  ),
  verify(
    'share-good',
    'a share on the polynomial is no fault',
    "? 'the share lies on the committed polynomial'\n    : undefined;",
    '? undefined\n    : undefined;',
  ),
  verify(
    'announcement-own',
    'an announcement is the participant’s own',
    "if (statement.type !== 'EncryptedPublicKey' || statement.from !== from) continue;",
    "if (statement.type !== 'EncryptedPublicKey') continue;",
  ),
  verify(
    'announcement-id',
    'and of this ceremony',
    "const parsed = parseContent('EncryptedPublicKey', statement.content);\n    if (parsed.ok && ceremonyId(parsed.content.parameters) === statement.ceremony) return parsed.content;",
    "const parsed = parseContent('EncryptedPublicKey', statement.content);\n    if (parsed.ok) return parsed.content;",
  ),
  verify(
    'signature-share-certificate',
    'a signature share is judged under a certificate',
    'if (!verified.ok) return `the certificate does not verify: ${verified.reason}`;',
    'if (!verified.ok) return undefined;',
  ),
  verify(
    'signature-share-key',
    'of the key that was asked',
    'if (!parameters || parameters.keyId !== verified.keyId)\n',
    'if (!parameters)\n',
  ),
  verify(
    'signature-share-package',
    'for the package that it names',
    "(each) => each.type === 'SigningPackage' && statementHash(each) === answer.content.package,",
    "(each) => each.type === 'SigningPackage',",
  ),
  verify(
    'signature-share-slot',
    'in its slot',
    "if (!packaged || packaged.slot !== first.slot) return 'expected the package that the share names';",
    "if (!packaged) return 'expected the package that the share names';",
  ),
  verify(
    'signature-share-signer',
    'that was for this signer',
    "if (!content.ok || !content.content.signers.includes(first.from)) return 'the package is not for this signer';",
    "if (!content.ok) return 'the package is not for this signer';",
    {
      redundant:
        'no share equation exists for who is not among the signers: the arithmetic refuses, and proves nothing',
    },
  ),
  verify(
    'signature-share-good',
    'a good share is no fault',
    "return messages.some(bad) ? undefined : 'the signature share verifies';",
    'return undefined;',
  ),
  verify(
    'signature-share-parameters',
    'parameters give the ceremony',
    "const parsed = parseContent('NonceCommitment', statement.content);\n    if (parsed.ok && ceremonyId(parsed.content.parameters) === statement.ceremony) return parsed.content.parameters;",
    "const parsed = parseContent('NonceCommitment', statement.content);\n    if (parsed.ok) return parsed.content.parameters;",
  ),
  verify(
    'signature-share-frost',
    'what no arithmetic accepts proves nothing',
    "if (error instanceof FrostInputError) return 'the package is not one that can be signed';",
  ),
  verify(
    'package-type',
    'a package is judged as one',
    "if (first.type !== 'SigningPackage') return 'expected a signing package';",
  ),
  verify(
    'package-source',
    'beside the statement that it names',
    'if (position < 0 || sources[position] !== statementHash(source)) continue;',
    'if (position < 0) continue;',
  ),
  verify(
    'package-agrees',
    'a package that agrees is no fault',
    "return 'the package agrees with the statements that it names';",
    'return undefined;',
  ),
  verify(
    'nonce-commitment-good',
    'good nonce commitments are no fault',
    "return good ? 'the nonce commitments are good' : undefined;",
    'return undefined;',
  ),
  find(
    'authentic',
    'a forged exhibit hides no proof (BLM-03)',
    ')).values()].filter((each) =>\n    authentic(committee, each),\n  );',
    ')).values()];',
  ),
  find('verified', 'what is found was verified', '.find((each) => verifyEvidence(committee, each).guilty);', '[0];'),
  find('once', 'one proof for each', 'if (found.has(statement.from)) continue;', '', {
    redundant: 'a map holds one for each sender; this saves the second search',
  }),
  find(
    'same-sender',
    'a contradiction is one sender’s',
    'each.from === statement.from && each.ceremony === statement.ceremony',
    'each.ceremony === statement.ceremony',
    { redundant: 'each candidate is verified, and a pair of two senders proves nothing; the filter bounds the work' },
  ),

  vault('short', 'what is too short does not open', 'if (body.length < NONCE_BYTES + TAG_BYTES)\n', 'if (false)\n'),
  vault(
    'row',
    'a blob opens as its own row only (SEC-03)',
    'return concat(...fields, lp(utf8(name)));',
    'return concat(...fields);',
  ),
  vault(
    'context',
    'of its own subject, operator and table',
    'return concat(...fields, lp(utf8(name)));',
    'return lp(utf8(name));',
    { redundant: 'the data key is bound to the same context by KMS' },
  ),
  vault(
    'tag',
    'and unchanged',
    '      throw new WrongContext(\n        `the wrapped ${name} does not open here',
    '      String(\n        `the wrapped ${name} does not open here',
  ),
  vault(
    'version',
    'a blob of another version does not open',
    'if (version !== VERSION || high === undefined || low === undefined) {',
    'if (high === undefined || low === undefined) {',
  ),
  vault(
    'table',
    'a data key is of one table (NON-03)',
    'return { identity: this.#identity, coin: this.#coin, kind, subject: id, table };',
    'return { identity: this.#identity, coin: this.#coin, kind, subject: id };',
    { tests: ['test/node/restore.test.ts', VAULT] },
  ),
  vault('subject', 'of one ceremony or key', 'kind, subject: id, table };', 'kind, table };'),
  vault('operator', 'of one operator', 'return { identity: this.#identity, coin', 'return { coin'),
  vault('wiped', 'data keys are overwritten', 'for (const key of this.#opened.values()) key.wipe();', ''),
  vault('cache', 'a cached data key is its subject’s', 'return `${kind} ${id} ${Buffer', 'return `${Buffer', {
    redundant: 'the context is also in the additional data of each row',
  }),
  secret(
    'json',
    'a secret is not serialised',
    "throw new TypeError('a secret must not be serialised');",
    'return undefined as never;',
  ),
  secret(
    'string',
    'nor made a string',
    "throw new TypeError('a secret must not be converted to a string');",
    "return '' as never;",
  ),
  secret(
    'primitive',
    'nor a primitive',
    "throw new TypeError('a secret must not be converted to a primitive');",
    "return '' as never;",
  ),
  secret('inspect', 'nor shown', "return 'Secret(redacted)';", "return Buffer.from(this.#bytes).toString('hex');"),
  secret('wipe', 'a wiped secret is zeros', 'this.#bytes.fill(0);', ''),
];
