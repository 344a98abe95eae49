/**
 * Evidence, judged by a stranger: pure, offline, from the committee file alone.
 *
 * Blame is a proof or it is not made. Each rule below convicts only if an honest operator cannot have signed what is shown; evidence that proves
 * nothing convicts nobody, its sender included. By convention the first statement is the culprit's.
 */
import { checkNonceCommitment, type Signer, verifySignatureShare } from '../frost/signing.ts';
import { FrostInputError, suiteOf } from '../frost/suite.ts';
import { schemeOf } from '../keygen/scheme.ts';
import { verifyCertificate } from '../messages/certificate.ts';
import type { Committee } from '../messages/committee.ts';
import { type ContentOf, parseContent } from '../messages/contents.ts';
import type { Evidence } from '../messages/evidence.ts';
import { fromHex, type Hex } from '../messages/hex.ts';
import { ceremonyId, type KeygenParameters, type SigningParameters } from '../messages/parameters.ts';
import { type Statement, type StatementType, statementHash, verifyStatement } from '../messages/statement.ts';

export type Judgement =
  | { readonly guilty: true; readonly culprit: number; readonly reason: Evidence['reason']; readonly ceremony: Hex }
  | { readonly guilty: false; readonly why: string };

/** What is said to one reader only: two of these contradict each other only if they have the same reader. */
const TO_ONE: ReadonlySet<StatementType> = new Set(['EncryptedKeyShare', 'NonceCommitment', 'SignatureShare']);

export function verifyEvidence(committee: Committee, evidence: Evidence): Judgement {
  if (evidence.committee !== committee.id) return nothing('the evidence is of another committee');
  const [first] = evidence.statements;
  if (!first) return nothing('there is no statement');
  for (const statement of evidence.statements) {
    if (!authentic(committee, statement)) return nothing('a statement is not signed by a member of this committee');
    if (statement.coin !== first.coin || statement.ceremony !== first.ceremony)
      return nothing('the statements are of different ceremonies');
  }
  const why = fault(committee, evidence, first);
  if (why !== undefined) return nothing(why);
  return { guilty: true, culprit: first.from, reason: evidence.reason, ceremony: first.ceremony };
}

/** @returns why the evidence proves nothing, or `undefined` if it proves the fault of the first statement's sender */
function fault(committee: Committee, evidence: Evidence, first: Statement): string | undefined {
  switch (evidence.reason) {
    case 'Equivocation':
      return equivocation(first, evidence.statements[1]);
    case 'InvalidCommitment':
      return invalidCommitment(evidence.statements, first);
    case 'InvalidShare':
      return invalidShare(evidence.statements, first);
    case 'InvalidSignatureShare':
      return invalidSignatureShare(committee, evidence, first);
    case 'InvalidPackage':
      return invalidPackage(evidence.statements, first);
  }
}

/** Two statements for one place. Honest operators say one thing once: signatures are deterministic and what was sent is stored. */
export function equivocation(a: Statement, b: Statement | undefined): string | undefined {
  if (!b) return 'expected two statements, got one';
  if (a.type !== b.type || a.slot !== b.slot || a.from !== b.from) return 'the statements are for different places';
  if (TO_ONE.has(a.type) && a.to !== b.to) return 'the statements are for different readers';
  return statementHash(a) === statementHash(b) ? 'the statements are the same' : undefined;
}

/**
 * The key statement lies about the ceremony, or the commitment statement is not the announced one, malformed, or badly proven; or, in signing, the nonce
 * commitments are not one good pair for each message of the ceremony that they are for.
 */
function invalidCommitment(statements: readonly Statement[], first: Statement): string | undefined {
  if (first.type === 'EncryptedPublicKey') {
    const parsed = parseContent('EncryptedPublicKey', first.content);
    const fits = parsed.ok && ceremonyId(parsed.content.parameters) === first.ceremony;
    return fits ? 'the key statement is well formed' : undefined;
  }
  if (first.type === 'NonceCommitment') return invalidNonceCommitment(first);
  if (first.type !== 'EncryptedKeyGenCommitment') return 'expected a key or a commitment statement';
  const announced = announcement(statements, first.from);
  if (!announced) return 'expected the key statement of the same participant, to know the parameters';
  if (announced.commitmentHash !== statementHash(first)) return undefined;
  const parsed = parseContent('EncryptedKeyGenCommitment', first.content);
  if (!parsed.ok) return undefined;
  const { t, suite, signers } = announced.parameters;
  const round = { ceremony: first.ceremony, t, signers };
  const fault = schemeOf(suite).faultOf(round, { index: first.from, commitment: parsed.content });
  return fault === undefined ? 'the commitments and their proofs are good' : undefined;
}

/** The statement alone: its parameters are those of the ceremony (a hash says so), and name the suite and the messages. */
function invalidNonceCommitment(first: Statement): string | undefined {
  const parsed = parseContent('NonceCommitment', first.content);
  if (!parsed.ok || ceremonyId(parsed.content.parameters) !== first.ceremony) return undefined;
  const { parameters, commitments } = parsed.content;
  const good =
    commitments.length === parameters.messages.length &&
    commitments.every(({ hiding, binding }) =>
      checkNonceCommitment(suiteOf(parameters.suite), { hiding: fromHex(hiding), binding: fromHex(binding) }),
    );
  return good ? 'the nonce commitments are good' : undefined;
}

/** A share that does not lie on the polynomial to which its own sender committed. */
function invalidShare(statements: readonly Statement[], first: Statement): string | undefined {
  if (first.type !== 'EncryptedKeyShare') return 'expected a share statement';
  const announced = announcement(statements, first.from);
  const committed = statements.find((each) => each.type === 'EncryptedKeyGenCommitment' && each.from === first.from);
  if (!announced || !committed) return 'expected the key and the commitment statement of the same participant';
  const { t, suite, signers } = announced.parameters;
  const scheme = schemeOf(suite);
  // A share for somebody outside the ceremony has no meaning, and so no fault.
  if (!signers.includes(first.to)) return 'the share is for nobody of this ceremony';
  const share = parseContent('EncryptedKeyShare', first.content);
  if (!share.ok || !scheme.isShare(share.content)) return undefined;
  const dealt = parseContent('EncryptedKeyGenCommitment', committed.content);
  if (!dealt.ok || !scheme.hasShape({ ceremony: first.ceremony, t, signers }, dealt.content))
    return 'the commitment statement is malformed: that is another fault';
  return scheme.liesOn(first.to, dealt.content, share.content)
    ? 'the share lies on the committed polynomial'
    : undefined;
}

/** A signature share that does not verify for the package whose hash it names, under the certificate's key. */
function invalidSignatureShare(committee: Committee, evidence: Evidence, first: Statement): string | undefined {
  const { certificate, statements } = evidence;
  if (first.type !== 'SignatureShare' || !certificate)
    return 'expected a signature share and the certificate of its key';
  if (!('verifyingShares' in certificate)) return 'expected the certificate of a key that signs messages';
  const verified = verifyCertificate(committee, certificate);
  if (!verified.ok) return `the certificate does not verify: ${verified.reason}`;
  const parameters = signingParameters(statements);
  if (!parameters || parameters.keyId !== verified.keyId)
    return 'expected a nonce commitment that gives this ceremony’s parameters, for this key';
  const answer = parseContent('SignatureShare', first.content);
  if (!answer.ok) return undefined;
  const packaged = statements.find(
    (each) => each.type === 'SigningPackage' && statementHash(each) === answer.content.package,
  );
  if (!packaged || packaged.slot !== first.slot) return 'expected the package that the share names';
  const content = parseContent('SigningPackage', packaged.content);
  if (!content.ok || !content.content.signers.includes(first.from)) return 'the package is not for this signer';
  const { messages } = parameters;
  if (answer.content.shares.length !== messages.length || answer.content.next.length !== messages.length)
    return undefined;
  const suite = suiteOf(parameters.suite);
  const verifyingShares = new Map(
    certificate.parameters.signers.map((index, i) => [index, fromHex(certificate.verifyingShares[i] ?? '0x')]),
  );
  const bad = (message: Hex, m: number): boolean => {
    const signers = signersOf(content.content, m);
    const share = answer.content.shares[m];
    return (
      !signers ||
      !share ||
      !verifySignatureShare(suite, {
        key: { outputKey: fromHex(certificate.outputKey), internalKey: fromHex(certificate.internalKey) },
        verifyingShares,
        signers,
        message: fromHex(message),
        index: first.from,
        share: fromHex(share),
      })
    );
  };
  try {
    return messages.some(bad) ? undefined : 'the signature share verifies';
  } catch (error) {
    // A package whose commitments are no points, or whose sum is no nonce, has no shares that are right or wrong.
    if (error instanceof FrostInputError) return 'the package is not one that can be signed';
    throw error;
  }
}

/** A package whose commitments are not those of the statement that it names as their source, or whose signers are not t in order. */
function invalidPackage(statements: readonly Statement[], first: Statement): string | undefined {
  if (first.type !== 'SigningPackage') return 'expected a signing package';
  const content = parseContent('SigningPackage', first.content);
  if (!content.ok) return undefined;
  const { signers, sources, commitments } = content.content;
  const parameters = signingParameters(statements);
  if (parameters) {
    const ordered = signers.every(
      (index, i) => parameters.signers.includes(index) && (i === 0 || index > (signers[i - 1] ?? 0)),
    );
    if (
      !ordered ||
      signers.length !== parameters.t ||
      sources.length !== signers.length ||
      commitments.length !== signers.length
    )
      return undefined;
  }
  for (const source of statements.slice(1)) {
    const position = signers.indexOf(source.from);
    if (position < 0 || sources[position] !== statementHash(source)) continue;
    const said = carried(source);
    if (said && JSON.stringify(said) !== JSON.stringify(commitments[position])) return undefined;
  }
  return 'the package agrees with the statements that it names';
}

// ------------------------------------------------------------------------------------------------ parts

/** Signed by the member of this committee that it names as its sender. */
export function authentic(committee: Committee, statement: Statement): boolean {
  return (
    statement.committee === committee.id &&
    committee.isSigner(statement.coin, statement.from) &&
    verifyStatement(statement, committee.signatureKey(statement.coin, statement.from))
  );
}

/** The participant's own announcement, if its parameters give this ceremony: a hash proves them whoever repeats them. */
function announcement(
  statements: readonly Statement[],
  from: number,
): (ContentOf<'EncryptedPublicKey'> & { parameters: KeygenParameters }) | undefined {
  for (const statement of statements) {
    if (statement.type !== 'EncryptedPublicKey' || statement.from !== from) continue;
    const parsed = parseContent('EncryptedPublicKey', statement.content);
    if (parsed.ok && ceremonyId(parsed.content.parameters) === statement.ceremony) return parsed.content;
  }
  return undefined;
}

function signingParameters(statements: readonly Statement[]): SigningParameters | undefined {
  for (const statement of statements) {
    if (statement.type !== 'NonceCommitment') continue;
    const parsed = parseContent('NonceCommitment', statement.content);
    if (parsed.ok && ceremonyId(parsed.content.parameters) === statement.ceremony) return parsed.content.parameters;
  }
  return undefined;
}

/** The nonce commitments that a statement carries, one for each message. */
function carried(statement: Statement): ContentOf<'NonceCommitment'>['commitments'] | undefined {
  if (statement.type === 'NonceCommitment') {
    const parsed = parseContent('NonceCommitment', statement.content);
    return parsed.ok ? parsed.content.commitments : undefined;
  }
  const parsed = statement.type === 'SignatureShare' ? parseContent('SignatureShare', statement.content) : undefined;
  return parsed?.ok ? parsed.content.next : undefined;
}

function signersOf(content: ContentOf<'SigningPackage'>, message: number): Signer[] | undefined {
  const signers = content.signers.flatMap((index, i) => {
    const commitment = content.commitments[i]?.[message];
    return commitment
      ? [{ index, commitment: { hiding: fromHex(commitment.hiding), binding: fromHex(commitment.binding) } }]
      : [];
  });
  return signers.length === content.signers.length ? signers : undefined;
}

function nothing(why: string): Judgement {
  return { guilty: false, why };
}
