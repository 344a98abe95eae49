/** `coterie demo bridge`: a token is burnt for a Bitcoin signature of a vault, once. */
import { ed25519 } from '@noble/curves/ed25519.js';
import { schnorr } from '@noble/curves/secp256k1.js';
import { signDeposit } from '../coconut/deposit.ts';
import { mclVerifier } from '../coconut/mcl-engine.ts';
import { addressOf } from '../frost/address.ts';
import { suiteOf } from '../frost/suite.ts';
import { derive, systemRandom } from '../local/random.ts';
import { ServiceNetwork } from '../local/service-network.ts';
import type { Payload } from '../messages/catalogue.ts';
import { fromHex, type Hex, toHex } from '../messages/hex.ts';
import type { WithdrawalProof } from '../messages/tokens.ts';
import { paymentMessage, paymentRequestId } from '../signing/payment.ts';
import { quorumOf } from '../signing-service/certificate.ts';
import { Wallet } from '../wallet/wallet.ts';
import type { SigningOutcome } from './agreement.ts';
import type { DemoStreams } from './demo.ts';
import { VERIFIERS } from './verify.ts';

const ASSET = 'wbtc';
const COIN = 'btc';
const OPERATORS = 3;
const THRESHOLD = 2;
const DEPOSITED = 100n;
const AMOUNT = '30';
/** Seconds of the virtual clock. */
const SIGNING_LIFE = 600;

type Sign = Extract<Payload<'MultisigInstruction'>, { Sign: unknown }>['Sign'];

export interface BridgeDemoOptions {
  readonly json: boolean;
  readonly seed: Uint8Array | undefined;
}

interface Attempt {
  readonly what: string;
  readonly refusals: readonly { readonly operator: number; readonly reason: string; readonly detail: string }[];
}

export interface BridgeResult {
  readonly vault: { readonly address: string; readonly publicKey: Hex };
  readonly withdrawal: { readonly transaction: Hex; readonly amount: string; readonly recipient: string };
  readonly message: Hex;
  readonly signature: Hex | undefined;
  /** Says somebody else's code. */
  readonly valid: boolean;
  readonly outstanding: bigint;
  readonly refused: readonly Attempt[];
  readonly failures: readonly string[];
}

/** @returns the exit status: 0 only if one payment was signed, and everything else refused */
export async function demoBridge(
  options: BridgeDemoOptions,
  { stdout, stderr }: Pick<DemoStreams, 'stdout' | 'stderr'> = process,
): Promise<number> {
  stderr.write(`Coterie: ${THRESHOLD} of ${OPERATORS} issue ${ASSET}, and ${THRESHOLD} of ${OPERATORS} hold a vault\n`);
  const result = await new BridgeDemo(options.seed ?? systemRandom.bytes(32), (line) =>
    stderr.write(`${line}\n`),
  ).run();
  const document = { ...result, outstanding: `${result.outstanding}` };
  stdout.write(options.json ? `${JSON.stringify(document, null, 2)}\n` : `\n${textOf(result)}\n`);
  return result.failures.length > 0 ? 1 : 0;
}

function textOf({
  vault,
  withdrawal,
  message,
  signature,
  valid,
  outstanding,
  refused,
  failures,
}: BridgeResult): string {
  return [
    `Vault       ${vault.address}`,
    `Withdrawal  ${withdrawal.amount} to ${withdrawal.recipient}`,
    `            transaction ${withdrawal.transaction}`,
    `Message     ${message}`,
    `Signature   ${signature ?? 'none'}`,
    `            ${valid ? '✓' : '✗'} ${VERIFIERS[COIN].name}: ${valid ? 'valid' : 'not valid'}`,
    ...refused.flatMap(({ what, refusals }) => [
      `${what}: refused by operators ${refusals.map(({ operator }) => operator).join(', ')}`,
      ...refusals.slice(0, 1).map(({ reason, detail }) => `            ${reason}: ${detail}`),
    ]),
    `Outstanding ${outstanding} = ${DEPOSITED} − ${AMOUNT}`,
    ...failures.map((failure) => `✗ ${failure}`),
  ].join('\n');
}

class BridgeDemo {
  readonly #seed: Uint8Array;
  readonly #say: (line: string) => void;
  readonly #network: ServiceNetwork;
  readonly #depositor: Uint8Array;
  readonly #withdrawals: WithdrawalProof[] = [];
  readonly #refused: Attempt[] = [];
  readonly #failures: string[] = [];
  #vault: { readonly keyId: Hex; readonly publicKey: Hex; readonly address: string } | undefined;
  #outcomes: { readonly operator: number; readonly outcome: SigningOutcome }[] = [];
  #refusals: { readonly operator: number; readonly reason: string; readonly detail: string }[] = [];

  constructor(seed: Uint8Array, say: (line: string) => void) {
    this.#seed = seed;
    this.#say = say;
    this.#depositor = derive(seed, 'demo/depositor');
    const keys = [toHex(ed25519.getPublicKey(this.#depositor))];
    this.#network = new ServiceNetwork({
      services: OPERATORS,
      asset: ASSET,
      terms: { t: THRESHOLD, f: 0, epoch: 0, depositors: { keys, required: 1, capPerEpoch: '1000' } },
      vault: { coins: [COIN], threshold: THRESHOLD, policies: [{ kind: 'withdrawal-certificate', asset: ASSET }] },
      cloud: { seed, clock: 'virtual' },
    });
    const { committee } = this.#network;
    committee.onAddress(({ coin, keyId, publicKey, address }) => {
      if (coin === COIN && publicKey && address) this.#vault = { keyId, publicKey, address };
    });
    committee.onWithdrawal((withdrawal) => this.#withdrawals.push(withdrawal));
    committee.onOutcome((event, operator) => {
      if ('SigningOutcome' in event) this.#outcomes.push({ operator, outcome: event.SigningOutcome });
      if ('Refused' in event) this.#refusals.push(event.Refused);
    });
  }

  async run(): Promise<BridgeResult> {
    const { committee } = this.#network;
    await this.#network.start();
    await committee.cloud.run();
    const vault = this.#vault;
    if (!vault) throw new Error('the operators have made no vault');
    this.#say(`the vault is ${vault.address}`);

    const wallet = await this.#wallet();
    const request = await wallet.requestDeposit(derive(this.#seed, 'demo/deposit'), DEPOSITED);
    const key = toHex(ed25519.getPublicKey(this.#depositor));
    const signature = signDeposit(this.#network.context, request, this.#depositor);
    await wallet.deposit({ ...request, signatures: [{ key, signature }] });
    const home = addressOf(suiteOf('FROST-secp256k1-SHA256-TR-v1'), schnorr.getPublicKey(derive(this.#seed, 'home')));
    await wallet.withdraw({ amount: AMOUNT, recipient: `${COIN}:${home}`, memo: 'home' });
    await committee.cloud.run({ until: committee.cloud.now + 60_000 });
    const [withdrawal] = this.#withdrawals;
    if (!withdrawal) throw new Error('the services have announced no withdrawal');
    this.#say(`${AMOUNT} ${ASSET} are withdrawn to ${withdrawal.recipient}`);

    const paid = this.#payment(vault.keyId, withdrawal);
    const { withdrawal: _, ...bare } = paid;
    await this.#refuses('without a certificate', bare);
    const message = paid.messages[0] ?? '0x';
    const signed = await this.#signs(paid);
    const valid =
      signed !== undefined &&
      (await VERIFIERS[COIN].verify(fromHex(vault.publicKey), fromHex(message), fromHex(signed)));
    if (!valid) this.#failures.push('the vault has signed nothing that verifies');
    this.#say(`the vault has signed, and ${VERIFIERS[COIN].name} says that it is ${valid ? 'valid' : 'not valid'}`);
    const thief = { ...withdrawal, recipient: `${COIN}:${vault.address}` };
    await this.#refuses('the same certificate for another recipient', this.#payment(vault.keyId, thief));
    const other = this.#payment(vault.keyId, thief).messages;
    await this.#refuses('the same certificate for another message', { ...paid, messages: other });

    const restored = await this.#wallet();
    if (restored.balance !== DEPOSITED - BigInt(AMOUNT)) this.#failures.push('issued − redeemed is not outstanding');
    return {
      vault: { address: vault.address, publicKey: vault.publicKey },
      withdrawal: { transaction: withdrawal.transaction, amount: withdrawal.amount, recipient: withdrawal.recipient },
      message,
      signature: signed,
      valid,
      outstanding: restored.balance,
      refused: this.#refused,
      failures: this.#failures,
    };
  }

  async #wallet(): Promise<Wallet> {
    const { file, asset, key, gateway } = this.#network;
    const seed = derive(this.#seed, 'demo/wallet');
    return Wallet.open({ seed, committee: file, asset, key, gateway, verifier: await mclVerifier(), window: 4 });
  }

  /** What the withdrawal, if it were one, would pay for. */
  #payment(keyId: Hex, withdrawal: WithdrawalProof): Sign {
    const expiresAt = this.#network.committee.now() + SIGNING_LIFE;
    const scope = quorumOf(this.#network.file, ASSET).context;
    return {
      keyId,
      messages: [paymentMessage(scope, COIN, withdrawal)],
      purpose: 'withdrawal',
      requestId: paymentRequestId(scope, COIN, withdrawal.transaction, expiresAt),
      expiresAt,
      withdrawal,
    };
  }

  async #told(sign: Sign): Promise<void> {
    const { committee } = this.#network;
    this.#refusals = [];
    this.#outcomes = [];
    await committee.instruct(COIN, { Sign: sign });
    await committee.cloud.run({ until: committee.cloud.now + 30_000 });
  }

  async #signs(sign: Sign): Promise<Hex | undefined> {
    await this.#told(sign);
    for (const { operator, detail } of this.#refusals) this.#failures.push(`operator ${operator}: ${detail}`);
    return this.#outcomes.find(({ outcome }) => outcome.result === 'succeeded')?.outcome.signatures?.[0];
  }

  async #refuses(what: string, sign: Sign): Promise<void> {
    await this.#told(sign);
    const refusals = this.#refusals.map(({ operator, reason, detail }) => ({ operator, reason, detail }));
    this.#refused.push({ what, refusals });
    this.#say(`${what}: refused by ${refusals.length}: ${refusals[0]?.detail ?? 'nobody'}`);
    if (refusals.length !== OPERATORS)
      this.#failures.push(`${what}: expected ${OPERATORS} refusals, got ${refusals.length}`);
    if (this.#outcomes.some(({ outcome }) => outcome.result === 'succeeded'))
      this.#failures.push(`${what}: was signed`);
  }
}
