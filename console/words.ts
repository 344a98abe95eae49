/** What the protocol's names are called on the page. */
import type { CeremonySummary, CeremonyView } from '../lib/view/ceremony-view.ts';
import type { AssetView, CoinView } from '../lib/view/committee-view.ts';
import type { Tone } from './parts.tsx';

type Type = CeremonyView['statements'][number]['type'];

const NAMES: Readonly<Partial<Record<Type, string>>> = {
  EncryptedPublicKey: 'public key',
  EncryptedKeyGenCommitment: 'commitment',
  EncryptedKeyShare: 'key share',
  KeyGenVerdict: 'verdict',
  KeyGenEvidence: 'evidence',
  KeyGenCertificate: 'certificate',
  NonceCommitment: 'nonces',
  SigningPackage: 'package',
  SignatureShare: 'signature share',
  Signature: 'signature',
};

export function typeName(type: Type): string {
  return NAMES[type] ?? type;
}

export function kindName(kind: CeremonySummary['kind']): string {
  return kind === 'keygen' ? 'Key generation' : 'Signing';
}

export function stageTone({ stage, open }: Pick<CeremonySummary, 'stage' | 'open'>): Tone {
  if (stage === 'Succeeded') return 'good';
  if (stage === 'Failed') return 'bad';
  return open ? 'quiet' : 'warn';
}

export function stageName(stage: CeremonySummary['stage']): string {
  const words = stage.replace(/([a-z])([A-Z])/g, '$1 $2').toLowerCase();
  return `${words.charAt(0).toUpperCase()}${words.slice(1)}`;
}

type Operator = CoinView['operators'][number];
const STATES: Readonly<Record<Operator['state'], { readonly tone: Tone; readonly words: string }>> = {
  self: { tone: 'good', words: 'this operator' },
  heard: { tone: 'good', words: 'heard lately' },
  known: { tone: 'good', words: 'known' },
  silent: { tone: 'warn', words: 'silent' },
  faulty: { tone: 'bad', words: 'proven faulty' },
  halted: { tone: 'warn', words: 'halted' },
  unknown: { tone: 'warn', words: 'its key never came' },
};

const SILENCES: Readonly<Record<NonNullable<Operator['silentIn']>, string>> = {
  greetings: 'silent: answers no greeting',
  ceremony: 'silent: did not answer',
  gossip: 'silent: tells of no payment',
};

export function operatorState({ state, silentIn }: Pick<Operator, 'state' | 'silentIn'>): {
  readonly tone: Tone;
  readonly words: string;
} {
  return silentIn === undefined ? STATES[state] : { ...STATES[state], words: SILENCES[silentIn] };
}

const REFUSALS: Readonly<Record<AssetView['refused'][number]['reason'], string>> = {
  BadShape: 'not a transaction of this asset',
  BadProof: 'a proof or a certificate does not hold',
  Unbalanced: 'more goes out than comes in',
  OutOfRange: 'an amount below zero or too large',
  Locked: 'a token that another transaction holds',
  Spent: 'a token that was spent before',
  BadDeposit: 'a deposit that depositors did not sign',
  DepositCap: 'more than may be brought in',
  ReadOnly: 'this service votes no more in this epoch',
  WrongEpoch: 'a token of another epoch',
  TooMany: 'too many inputs or outputs',
  Halted: 'this service is halted',
};

export function refusalWords(reason: AssetView['refused'][number]['reason']): string {
  return REFUSALS[reason];
}

export const ROUND_STATES: Readonly<
  Record<CeremonyView['rounds'][number]['status'], { readonly tone: Tone; readonly words: string }>
> = {
  ahead: { tone: 'quiet', words: 'ahead' },
  waiting: { tone: 'quiet', words: 'waiting' },
  complete: { tone: 'good', words: 'complete' },
  cut: { tone: 'bad', words: 'cut short' },
};
