/**
 * Every lie about every message, and what it leads to. A liar signs its lies, so that they are authenticated; nobody honest is ever named, and whoever can be proven
 * to have lied is.
 */
import { describe, expect, test } from 'vitest';
import { verifyEvidence } from '../../lib/evidence/verify.ts';
import type { Evidence } from '../../lib/messages/evidence.ts';
import type { FrostSuite } from '../ceremonies/network.ts';
import { LIE_KINDS, type Lie, type LieKind } from './byzantine-lies.ts';
import {
  type Audience,
  described,
  KeygenTrials,
  type KeygenType,
  SigningTrials,
  type SigningType,
  type Trial,
} from './byzantine-trials.ts';

/** `npm test` tells one lie of each kind about each message; with `LIES=all` every one, about every field. */
const ALL = process.env['LIES'] === 'all';
const SUITES: readonly FrostSuite[] = ['FROST-ED25519-SHA512-v1', 'FROST-secp256k1-SHA256-TR-v1'];

type Verdict = Evidence['reason'] | 'nobody';
interface Row {
  /** What every lie about the message leads to, but these. */
  readonly usual: readonly Verdict[];
  readonly except: readonly { readonly about: RegExp; readonly verdicts: readonly Verdict[]; readonly why: string }[];
}

/** `about` is matched with "kind / field". */
const TABLE: Readonly<Record<KeygenType | SigningType, Row>> = {
  EncryptedPublicKey: {
    usual: ['InvalidCommitment'],
    except: [
      {
        about: /^(another value|zeros) \/ sealingKey|^another spelling/,
        verdicts: ['Equivocation', 'nobody'],
        why: 'said to all it is the truth, said to one it contradicts what the others heard',
      },
      {
        about: /^(another value|zeros) \/ commitmentHash|^what another operator said/,
        verdicts: ['InvalidCommitment', 'Equivocation'],
        why: 'the commitments that follow are not the announced ones',
      },
    ],
  },
  EncryptedKeyGenCommitment: {
    usual: ['InvalidCommitment'],
    except: [
      {
        about: /^(negated|a small-order part|small order) \/ commitments\.1/,
        verdicts: ['InvalidCommitment', 'InvalidShare'],
        why: 'a point like any other: it is the shares that do not lie on this polynomial',
      },
      { about: /^another spelling/, verdicts: ['InvalidCommitment', 'nobody'], why: 'announced, it is the truth' },
    ],
  },
  EncryptedKeyShare: {
    usual: ['InvalidShare'],
    except: [
      { about: /^another spelling/, verdicts: ['InvalidShare', 'nobody'], why: 'to its reader it is the truth' },
    ],
  },
  KeyGenVerdict: {
    usual: ['nobody'],
    except: [],
  },
  KeyGenCertificate: { usual: ['nobody'], except: [] },
  NonceCommitment: {
    usual: ['InvalidCommitment'],
    except: [
      {
        about:
          /^(another value|negated) \/ commitments|^out of order \/ commitments|^another spelling|^what another operator/,
        verdicts: ['InvalidCommitment', 'nobody'],
        why: 'good points, of which the liar knows no nonces: it can only be silent afterwards',
      },
    ],
  },
  SigningPackage: {
    usual: ['InvalidPackage'],
    except: [
      {
        about: /^(another value|zeros) \/ sources|^out of order \/ sources|^another spelling|^what was said in another/,
        verdicts: ['nobody'],
        why: 'it names statements of which nobody knows: refused, and no proof',
      },
      {
        about: /^out of order \/ commitments$/,
        verdicts: ['InvalidPackage'],
        why: 'each signer finds another’s commitments under its own statement',
      },
    ],
  },
  SignatureShare: {
    usual: ['InvalidSignatureShare'],
    except: [
      {
        about: /^(another value|zeros) \/ package|^what was said in another/,
        verdicts: ['nobody'],
        why: 'it names a package of which nobody knows',
      },
      {
        about:
          /^(one less|one more|out of order) \/ next$|^(?!a byte|upper|another type).* \/ next\.|^another spelling/,
        verdicts: ['nobody', 'InvalidSignatureShare'],
        why: 'the share is good, and the signature comes',
      },
    ],
  },
  Signature: { usual: ['nobody'], except: [] },
};

function expected(type: KeygenType | SigningType, { kind, field }: Lie): readonly Verdict[] {
  const { usual, except } = TABLE[type];
  return except.find(({ about }) => about.test(`${kind} / ${field}`))?.verdicts ?? usual;
}

/** The lies of one kind: one of them for each test, in turn, or every one. */
function chosen(lies: readonly Lie[], kind: LieKind, turn: number): readonly Lie[] {
  const all = lies.filter((lie) => lie.kind === kind);
  const one = all[turn % Math.max(1, all.length)];
  return ALL || !one ? all : [one];
}

function check(trial: Trial, verdicts: readonly Verdict[], committee: Parameters<typeof verifyEvidence>[0]): void {
  const what = described(trial);
  const reasons = new Set(trial.evidence.map((each) => each.reason));
  for (const [index, culprits] of trial.named) {
    expect(
      culprits.filter((culprit) => culprit !== trial.liar),
      `${what}: operator ${index} names somebody honest`,
    ).toEqual([]);
    expect(trial.told.get(index), `${what}: operator ${index} tells its client what it can prove`).toEqual(culprits);
  }
  for (const evidence of trial.evidence)
    expect(verifyEvidence(committee, evidence), what).toMatchObject({ guilty: true, culprit: trial.liar });
  if (reasons.size === 0) expect(verdicts, `${what}: nobody is named`).toContain('nobody');
  for (const reason of reasons) expect([...verdicts, 'Equivocation'], what).toContain(reason);
}

const keygens = new Map<FrostSuite, KeygenTrials>();
const signings = new Map<FrostSuite, SigningTrials>();
function trialsOf<T>(made: Map<FrostSuite, T>, suite: FrostSuite, make: new (suite: FrostSuite) => T): T {
  const known = made.get(suite) ?? new make(suite);
  made.set(suite, known);
  return known;
}

const KEYGEN = [
  'EncryptedPublicKey',
  'EncryptedKeyGenCommitment',
  'EncryptedKeyShare',
  'KeyGenVerdict',
  'KeyGenCertificate',
] as const;
const SIGNING = ['NonceCommitment', 'SigningPackage', 'SignatureShare', 'Signature'] as const;
const KINDS = LIE_KINDS.map((kind, turn) => [kind, turn] as const);
const audiences = (turn: number): readonly Audience[] => (ALL ? ['all', 'one'] : [turn % 2 === 0 ? 'one' : 'all']);
const suites = (turn: number): readonly FrostSuite[] => (ALL ? SUITES : SUITES.slice(turn % 2, (turn % 2) + 1));

describe.each(KEYGEN)('a lie in %s', (type) => {
  test.each(KINDS)('%s: everybody honest ends, and names its sender if it can be proven', (kind, turn) => {
    for (const suite of kind === 'what was meant for another reader' ? SUITES : suites(turn)) {
      const trials = trialsOf(keygens, suite, KeygenTrials);
      for (const lie of chosen(trials.lies(type), kind, turn)) {
        for (const audience of audiences(turn >> 1)) {
          const trial = trials.tell(type, lie, audience);
          const verdicts = expected(type, lie);
          check(trial, verdicts, trials.committee);
          for (const [index, stage] of trial.ends)
            expect(['Failed', 'Unresolved', 'Succeeded'], `${described(trial)}: operator ${index}`).toContain(stage);
          // One honest operator's proof is every honest operator's: exhibits travel.
          expect(new Set([...trial.named.values()].map(String)).size, `${described(trial)}: all name the same`).toBe(1);
          if (!verdicts.includes('nobody'))
            expect([...trial.ends.values()], described(trial)).not.toContain('Succeeded');
        }
      }
    }
  });
});

describe.each(SIGNING)('a lie in %s', (type) => {
  test.each(KINDS)('%s: t honest operators sign, and whoever holds the proof names its sender', (kind, turn) => {
    for (const suite of suites(turn)) {
      const trials = trialsOf(signings, suite, SigningTrials);
      for (const lie of chosen(trials.lies(type), kind, turn)) {
        for (const audience of audiences(turn >> 1)) {
          const trial = trials.tell(type, lie, audience);
          // Whoever leads and signs may misquote itself: nobody else knows what it meant.
          const [, position] = /^commitments\.([0-9]+)/.exec(lie.field) ?? [];
          const itself = type === 'SigningPackage' && trials.signers[Number(position)] === trial.liar;
          check(trial, [...expected(type, lie), ...(itself ? (['nobody'] as const) : [])], trials.committee);
          for (const [index, stage] of trial.ends)
            expect(stage, `${described(trial)}: operator ${index}`).toBe('Succeeded');
        }
      }
    }
  });
});

test('every kind of lie is told about some message', () => {
  const told = new Set(
    SUITES.flatMap((suite) => [
      ...KEYGEN.flatMap((type) => trialsOf(keygens, suite, KeygenTrials).lies(type)),
      ...SIGNING.flatMap((type) => trialsOf(signings, suite, SigningTrials).lies(type)),
    ]).map((lie) => lie.kind),
  );
  expect(LIE_KINDS.filter((kind) => !told.has(kind))).toEqual([]);
});
