/** What a demonstration of tokens found out, for people and for programs. */
import { encodeG1, encodeG2, encodeScalar } from '../coconut/groups.ts';
import type { Credential } from '../coconut/issue.ts';
import type { VerificationKey } from '../coconut/keys.ts';
import { type Hex, toHex } from '../messages/hex.ts';

export interface TransactionResult {
  readonly step: string;
  readonly id: Hex;
  readonly inputs: number;
  readonly outputs: number;
  readonly bytes: number;
  /** Indexes of services in whose name something wrong came. */
  readonly lied: readonly number[];
  /** Of services that were not heard before there was enough. */
  readonly unheard: readonly number[];
}

export interface RefusalResult {
  readonly step: string;
  readonly reason: string;
  /** Indexes of the services that said so. */
  readonly services: readonly number[];
}

export interface WalletResult {
  readonly name: string;
  readonly balance: bigint;
  readonly tokens: readonly bigint[];
}

export interface Supply {
  readonly issued: bigint;
  readonly redeemed: bigint;
  /** What all wallets have, each restored from its seed. */
  readonly outstanding: bigint;
}

export interface TokenDemoResult {
  readonly asset: string;
  readonly services: number;
  readonly threshold: number;
  readonly tolerated: number;
  readonly keyId: Hex;
  readonly verificationKey: VerificationKey;
  /** Of all wallets at the end. SECRET */
  readonly credentials: readonly Credential[];
  readonly transactions: readonly TransactionResult[];
  readonly refusals: readonly RefusalResult[];
  readonly wallets: readonly WalletResult[];
  readonly supply: Supply;
  readonly named: { readonly lying: readonly number[]; readonly silent: readonly number[] };
  /** What was to be shown and was not so. */
  readonly failures: readonly string[];
  /** `in one process`, or on which engine. */
  readonly where: string;
  readonly seconds: { readonly elapsed: number; readonly cpu: number };
}

export function isBalanced({ issued, redeemed, outstanding }: Supply): boolean {
  return issued - redeemed === outstanding;
}

/** The document of `--json`: points compressed, scalars of 32 bytes, amounts decimal. @param reveal puts the credentials in, with which whoever reads it can pay */
export function tokenDocument(result: TokenDemoResult, reveal: boolean) {
  const { services, threshold, tolerated, keyId, verificationKey, transactions, refusals, supply, named } = result;
  const { alpha, betaTilde } = verificationKey;
  return {
    services,
    threshold,
    tolerated,
    keyId,
    verificationKey: { alpha: toHex(encodeG2(alpha)), beta: betaTilde.map((point) => toHex(encodeG2(point))) },
    ...(reveal
      ? {
          credentials: result.credentials.map(({ h, s, attributes }) => ({
            h: toHex(encodeG1(h)),
            s: toHex(encodeG1(s)),
            attributes: attributes.map((each) => toHex(encodeScalar(each))),
          })),
        }
      : {}),
    transactions,
    refusals,
    wallets: result.wallets.map(({ name, balance, tokens }) => ({
      name,
      balance: `${balance}`,
      tokens: tokens.map(String),
    })),
    named,
    supply: { issued: `${supply.issued}`, redeemed: `${supply.redeemed}`, outstanding: `${supply.outstanding}` },
    ...(result.failures.length > 0 ? { failures: result.failures } : {}),
  };
}

export function tokenText(result: TokenDemoResult, colour: boolean): string {
  const strong = (text: string) => (colour ? `\x1b[1m${text}\x1b[22m` : text);
  const good = (text: string) => (colour ? `\x1b[32m✓\x1b[39m ${text}` : `✓ ${text}`);
  const bad = (text: string) => (colour ? `\x1b[31m✗ ${text}\x1b[39m` : `✗ ${text}`);
  const { services, threshold, tolerated, transactions, refusals, wallets, supply, named, seconds } = result;
  const lines = [
    `${strong('Services')}  ${threshold} of ${services} for ${result.asset}, ${tolerated} may be malicious`,
    `  key id  ${result.keyId}`,
    '',
    `${strong('Transactions')}  inputs, outputs, bytes`,
    ...transactions.map(
      ({ step, id, inputs, outputs, bytes }) =>
        `  ${step.padEnd(34)} ${id.slice(0, 10)}…  ${inputs} in ${outputs} out ${`${bytes}`.padStart(6)}`,
    ),
    '',
    strong('Refused and named'),
    ...refusals.map(({ step, reason, services: by }) => good(`${step}: ${reason}, say services ${by.join(', ')}`)),
    ...named.lying.map((index) => good(`service ${index} signed wrongly, was named, and was replaced`)),
    ...named.silent.map((index) => good(`service ${index} is silent, and is not needed`)),
    '',
    `${strong('Wallets')}  each restored from its seed alone`,
    ...wallets.map(
      ({ name, balance, tokens }) => `  ${name.padEnd(6)} ${`${balance}`.padStart(6)}  ${tokens.join(' + ')}`,
    ),
    '',
    strong('Supply'),
    `  issued      ${`${supply.issued}`.padStart(6)}`,
    `  redeemed    ${`${supply.redeemed}`.padStart(6)}`,
    `  outstanding ${`${supply.outstanding}`.padStart(6)}`,
    isBalanced(supply)
      ? good('issued − redeemed = outstanding')
      : bad(`issued − redeemed = ${supply.issued - supply.redeemed}, which is not what the wallets have`),
  ];
  if (result.failures.length > 0) lines.push('', ...result.failures.map(bad));
  lines.push('', `${seconds.elapsed.toFixed(1)} s elapsed, ${seconds.cpu.toFixed(1)} s of CPU, ${result.where}`);
  return lines.join('\n');
}
