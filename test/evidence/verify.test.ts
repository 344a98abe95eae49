/** Evidence that is nearly a proof: each case convicts somebody who may be honest as soon as one check of the judge is left out. */
import { describe, expect, test } from 'vitest';
import { findEvidence } from '../../lib/evidence/find.ts';
import { type Judgement, verifyEvidence } from '../../lib/evidence/verify.ts';
import { deal, evaluateShare } from '../../lib/frost/dkg.ts';
import { suiteOf } from '../../lib/frost/suite.ts';
import {
  type Certificate,
  type FrostCertificate,
  transcriptHash,
  verifyCertificate,
} from '../../lib/messages/certificate.ts';
import { type ContentOf, contentText, parseContent } from '../../lib/messages/contents.ts';
import type { Evidence } from '../../lib/messages/evidence.ts';
import { type Hex, toHex } from '../../lib/messages/hex.ts';
import { ceremonyId, type KeygenParameters } from '../../lib/messages/parameters.ts';
import { type Statement, type StatementType, signStatement, statementHash } from '../../lib/messages/statement.ts';
import { leaderOf } from '../../lib/signing/step.ts';
import { frost } from '../ceremonies/liars.ts';
import { KeygenNetwork, SigningNetwork, seeded, World } from '../ceremonies/network.ts';

const SUITE = 'FROST-ED25519-SHA512-v1';
const world = new World({ n: 4, t: 2, suite: SUITE });
const made = new KeygenNetwork(world);
made.run();
const OTHER = `0x${'44'.repeat(32)}` as Hex;

function present<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('expected a value');
  return value;
}

function contentOf<T extends StatementType>(statement: Statement, type: T): ContentOf<T> {
  const parsed = parseContent(type, statement.content);
  if (!parsed.ok) throw new Error(parsed.reason);
  return parsed.content;
}

function judge(reason: Evidence['reason'], statements: Statement[], certificate?: Certificate): Judgement {
  const evidence: Evidence = { v: 1, reason, committee: world.committee.id, statements };
  return verifyEvidence(world.committee, certificate ? { ...evidence, certificate } : evidence);
}

function expectNothing(reason: Evidence['reason'], statements: Statement[], certificate?: Certificate): void {
  expect(judge(reason, statements, certificate)).toMatchObject({ guilty: false });
}

/** What one operator said in the key generation. */
function said(from: number, type: StatementType, to?: number): Statement {
  const all = [...made.node(from).said, ...made.node(from).recorded.values()];
  return present(all.find((each) => each.type === type && each.from === from && (to === undefined || each.to === to)));
}

function edited(statement: Statement, header: Partial<Statement>): Statement {
  return signStatement(
    { ...statement, ...header },
    header.content ?? statement.content,
    world.keyOf(header.from ?? statement.from),
  );
}

const [announcement, commitment, share] = [
  said(2, 'EncryptedPublicKey'),
  said(2, 'EncryptedKeyGenCommitment'),
  said(2, 'EncryptedKeyShare', 3),
];
const verdict = said(2, 'KeyGenVerdict');
const otherVerdict = edited(verdict, { content: contentText('KeyGenVerdict', { aborted: 'Aborted' }) });

describe('two statements', () => {
  test('that contradict each other convict who signed them', () => {
    expect(judge('Equivocation', [verdict, otherVerdict])).toMatchObject({ guilty: true, culprit: 2 });
  });

  test('prove nothing if one is not signed by its sender', () => {
    expectNothing('Equivocation', [verdict, { ...otherVerdict, signature: verdict.signature }]);
  });

  test('CTX-01 prove nothing if they are of another committee, whichever the evidence names', () => {
    const elsewhere = [verdict, otherVerdict].map((each) => edited(each, { committee: OTHER }));
    expectNothing('Equivocation', elsewhere);
    const evidence: Evidence = { v: 1, reason: 'Equivocation', committee: OTHER, statements: elsewhere };
    expect(verifyEvidence(world.committee, evidence)).toMatchObject({ guilty: false });
  });

  test('CTX-06 prove nothing if they are for a coin that the operator does not hold, or from nobody', () => {
    expectNothing(
      'Equivocation',
      [verdict, otherVerdict].map((each) => edited(each, { coin: 'sol' })),
    );
    expectNothing('Equivocation', [verdict, { ...otherVerdict, from: 9 }]);
    expectNothing('Equivocation', [
      { ...verdict, from: 9 },
      { ...otherVerdict, from: 9 },
    ]);
  });

  test('CTX-07 prove nothing if they are of different ceremonies, slots, types, senders or readers', () => {
    expectNothing('Equivocation', [verdict, edited(otherVerdict, { ceremony: OTHER })]);
    expectNothing('Equivocation', [verdict, edited(otherVerdict, { slot: '1' })]);
    expectNothing('Equivocation', [verdict, said(3, 'KeyGenVerdict')]);
    expectNothing('Equivocation', [announcement, commitment]);
    expectNothing('Equivocation', [share, said(2, 'EncryptedKeyShare', 4)]);
  });

  test('prove nothing if they are one', () => {
    expectNothing('Equivocation', [verdict]);
    expectNothing('Equivocation', [verdict, verdict]);
  });
});

describe('a commitment', () => {
  test('that is the announced one, and good, is no fault', () => {
    expectNothing('InvalidCommitment', [announcement]);
    expectNothing('InvalidCommitment', [commitment, announcement]);
  });

  test('is a fault if it is not the announced one, however good it is', () => {
    const dealing = deal(suiteOf(SUITE), { t: 2, n: 4, index: 2 }, seeded('another polynomial'));
    const content = contentText('EncryptedKeyGenCommitment', {
      commitments: dealing.commitments.map(toHex),
      proofOfKnowledge: toHex(dealing.proofOfKnowledge),
    });
    expect(judge('InvalidCommitment', [edited(commitment, { content }), announcement])).toMatchObject({ culprit: 2 });
  });

  test('DKG-01 is a fault if it was announced with a coefficient too many', () => {
    const { bad, announced } = tooMany();
    expect(judge('InvalidCommitment', [bad, announced])).toMatchObject({ guilty: true, culprit: 2 });
  });

  test('is judged beside its own sender’s announcement only, and one of this ceremony', () => {
    expectNothing('InvalidCommitment', [commitment]);
    expectNothing('InvalidCommitment', [commitment, said(3, 'EncryptedPublicKey')]);
    const parameters: KeygenParameters = { ...world.keygenParameters(), t: 3 };
    const lie = world.resign(announcement, 'EncryptedPublicKey', {
      ...contentOf(announcement, 'EncryptedPublicKey'),
      parameters,
    });
    expectNothing('InvalidCommitment', [commitment, lie]);
    expect(judge('InvalidCommitment', [lie]), 'the lie itself').toMatchObject({ guilty: true, culprit: 2 });
  });

  test('is not what another kind of statement is judged as', () => {
    expectNothing('InvalidCommitment', [verdict, announcement]);
    expectNothing('InvalidCommitment', [share, announcement, commitment]);
  });
});

/** Operator 2's commitments with one too many, and the announcement of them. */
function tooMany(): { bad: Statement; announced: Statement } {
  const content = frost(contentOf(commitment, 'EncryptedKeyGenCommitment'));
  const bad = world.resign(commitment, 'EncryptedKeyGenCommitment', {
    ...content,
    commitments: [...content.commitments, present(content.commitments[0])],
  });
  const announced = world.resign(announcement, 'EncryptedPublicKey', {
    ...contentOf(announcement, 'EncryptedPublicKey'),
    commitmentHash: statementHash(bad),
  });
  return { bad, announced };
}

describe('a share', () => {
  const wrong = edited(share, { content: contentText('EncryptedKeyShare', { share: `0x05${'00'.repeat(31)}` }) });

  test('on its dealer’s polynomial is no fault, and another one is', () => {
    expectNothing('InvalidShare', [share, commitment, announcement]);
    expect(judge('InvalidShare', [wrong, commitment, announcement])).toMatchObject({ guilty: true, culprit: 2 });
    const none = edited(share, { content: '{}' });
    expect(judge('InvalidShare', [none, commitment, announcement])).toMatchObject({ guilty: true, culprit: 2 });
  });

  test('is judged by its own dealer’s commitments only', () => {
    expectNothing('InvalidShare', [share, said(3, 'EncryptedKeyGenCommitment'), announcement]);
    expectNothing('InvalidShare', [wrong, commitment]);
    expectNothing('InvalidShare', [wrong, announcement]);
  });

  test('of malformed commitments is another fault', () => {
    const { bad, announced } = tooMany();
    expectNothing('InvalidShare', [share, bad, announced]);
  });

  test('for somebody outside of the ceremony has no meaning', () => {
    const parameters: KeygenParameters = { ...world.keygenParameters(), signers: [1, 2, 3] };
    const ceremony = ceremonyId(parameters);
    const suite = suiteOf(SUITE);
    const dealing = deal(suite, { t: 2, n: 3, index: 2 }, seeded('three of four'));
    const { member } = made.node(2);
    const shown = member.say(
      'EncryptedKeyGenCommitment',
      ceremony,
      '',
      0,
      contentText('EncryptedKeyGenCommitment', {
        commitments: dealing.commitments.map(toHex),
        proofOfKnowledge: toHex(dealing.proofOfKnowledge),
      }),
    );
    const key = contentText('EncryptedPublicKey', {
      ...contentOf(announcement, 'EncryptedPublicKey'),
      parameters,
      commitmentHash: statementHash(shown),
    });
    const told = (to: number, index: number) =>
      member.say(
        'EncryptedKeyShare',
        ceremony,
        '',
        to,
        contentText('EncryptedKeyShare', { share: toHex(evaluateShare(suite, dealing.coefficients, index)) }),
      );
    const announced = member.say('EncryptedPublicKey', ceremony, '', 0, key);
    expect(judge('InvalidShare', [told(3, 1), shown, announced])).toMatchObject({ guilty: true });
    expectNothing('InvalidShare', [told(4, 1), shown, announced]);
  });

  test('is not what another kind of statement is judged as', () => {
    expectNothing('InvalidShare', [edited(verdict, { type: 'NonceCommitment', to: 3 }), commitment, announcement]);
    expectNothing('InvalidShare', [verdict, commitment, announcement]);
  });
});

describe('a signature share', () => {
  const state = made.node(1).state;
  if (state?.stage !== 'Succeeded') throw new Error('a key was made');
  const network = new SigningNetwork(made, state.keyId, ['0x6869']);
  network.authoriseAll();
  network.run();
  const leader = leaderOf(network.parameters, ceremonyId(network.parameters), 0);
  const heard = [...network.node(leader).recorded.values()];
  const good = present(heard.find((each) => each.type === 'SignatureShare' && each.from !== leader));
  const packaged = present(heard.find((each) => each.type === 'SigningPackage'));
  const carrier = present(heard.find((each) => each.type === 'NonceCommitment'));
  const certificate = made.certificate();
  const bad = (header: Partial<Statement> = {}): Statement =>
    edited(good, {
      ...header,
      content: contentText('SignatureShare', {
        ...contentOf(good, 'SignatureShare'),
        shares: [`0x05${'00'.repeat(31)}`],
      }),
    });

  test('that does not verify convicts its signer, and a good one nobody', () => {
    expect(judge('InvalidSignatureShare', [bad(), packaged, carrier], certificate)).toMatchObject({
      guilty: true,
      culprit: good.from,
    });
    expectNothing('InvalidSignatureShare', [good, packaged, carrier], certificate);
  });

  test('is judged under a certificate that verifies', () => {
    expectNothing('InvalidSignatureShare', [good, packaged, carrier]);
    const signatures = certificate.signatures.map((each, i) => (i === 0 ? (`0x${'00'.repeat(64)}` as Hex) : each));
    expectNothing('InvalidSignatureShare', [bad(), packaged, carrier], { ...certificate, signatures });
  });

  test('CTX-03 is judged under the key that was asked for, and not under another of the committee', () => {
    // All operators have confirmed another key, too.
    const { signatures: _, ...content } = certificate as FrostCertificate;
    const other = {
      ...content,
      parameters: { ...content.parameters, requestId: `0x${'07'.repeat(16)}` as Hex },
      verifyingShares: [...content.verifyingShares].reverse(),
    };
    const confirmed = contentText('KeyGenVerdict', { confirmed: transcriptHash(other) });
    const signatures = world
      .indexes()
      .map(
        (index) =>
          made.node(index).member.say('KeyGenVerdict', ceremonyId(other.parameters), '', 0, confirmed).signature,
      );
    expect(verifyCertificate(world.committee, { ...other, signatures })).toMatchObject({ ok: true });
    expectNothing('InvalidSignatureShare', [good, packaged, carrier], { ...other, signatures });
  });

  test('is judged with parameters that give its ceremony', () => {
    const content = contentOf(carrier, 'NonceCommitment');
    const parameters = { ...content.parameters, messages: ['0x00' as Hex] };
    const lie = world.resign(carrier, 'NonceCommitment', { ...content, parameters });
    expectNothing('InvalidSignatureShare', [good, packaged, lie], certificate);
    expectNothing('InvalidSignatureShare', [bad(), packaged], certificate);
  });

  test('is judged with the package that it names, in its own session', () => {
    const content = contentOf(packaged, 'SigningPackage');
    const other = world.resign(packaged, 'SigningPackage', {
      ...content,
      commitments: content.commitments.map((each) =>
        each.map(({ hiding, binding }) => ({ hiding: binding, binding: hiding })),
      ),
    });
    expectNothing('InvalidSignatureShare', [good, other, carrier], certificate);
    expectNothing('InvalidSignatureShare', [bad({ slot: '0.1' }), packaged, carrier], certificate);
  });

  test('is nobody’s who is not in the package', () => {
    const signers = contentOf(packaged, 'SigningPackage').signers;
    const outsider = present(world.indexes().find((index) => !signers.includes(index)));
    expectNothing('InvalidSignatureShare', [bad({ from: outsider }), packaged, carrier], certificate);
  });

  test('a package is a fault only beside the statement that it names', () => {
    const later = present([...network.node(leader).recorded.values()].find((each) => each.type === 'SignatureShare'));
    expectNothing('InvalidPackage', [packaged, later]);
    expectNothing('InvalidPackage', [packaged]);
    expectNothing('InvalidPackage', [good, packaged, carrier]);
  });

  test('a package of too few signers is a fault, where the parameters are shown', () => {
    const content = contentOf(packaged, 'SigningPackage');
    const short = world.resign(packaged, 'SigningPackage', {
      signers: content.signers.slice(1),
      sources: content.sources.slice(1),
      commitments: content.commitments.slice(1),
    });
    expect(judge('InvalidPackage', [short, carrier])).toMatchObject({ guilty: true, culprit: leader });
  });
});

test('BLM-03 what is found was verified: good exhibits beside held statements convict nobody', () => {
  expect(findEvidence(world.committee, [announcement, commitment, share, verdict], [announcement, commitment])).toEqual(
    [],
  );
});
