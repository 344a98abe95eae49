/**
 * A producer's client: asks an operator's processor for keys and signatures, and hears how they ended.
 *
 * ```ts
 * const transport = new SqsTransport({ identity: 'alice', account: '111111111111', region: 'eu-central-1', sqs: new SQSClient({}) });
 * const client = new CoterieClient({ committee, identity: 'alice', coins: ['btc'], transport });
 * const asked = await client.sign({ coin: 'btc', keyId, messages: [sighash], purpose: 'payout' });
 * for await (const outcome of client.outcomes()) {
 *   if (outcome.kind === 'SigningOutcome' && outcome.ceremony === asked.ceremony) break;
 * }
 * ```
 *
 * One client speaks for one operator. A ceremony begins when t operators' clients (n for a key) have asked for the very same thing: who asks first hands `requestId` and
 * `expiresAt` on to the others, who give them here, or approve what their operators list as pending.
 */
import { randomBytes } from 'node:crypto';
import { bodyOf, type Payload } from '../messages/catalogue.ts';
import type { Certificate } from '../messages/certificate.ts';
import type { Committee } from '../messages/committee.ts';
import { reasonOf } from '../messages/fields.ts';
import { type Hex, toHex } from '../messages/hex.ts';
import { type InstructionScope, instructionBytes, multisigInstruction } from '../messages/instructions.ts';
import { type CeremonyParameters, ceremonyId, keygenParameters, signingParameters } from '../messages/parameters.ts';
import { type Outcome, Outcomes } from './outcomes.ts';
import type { Transport } from './transport.ts';

/** Seconds that a ceremony may take if nothing else is said. */
export const DEFAULT_LIFE_SECONDS = 600;
/** Seconds: operators refuse more. */
export const MAX_LIFE_SECONDS = 7 * 86_400;

type Instruction = Payload<'MultisigInstruction'>;
export type InstructionSignatures = NonNullable<Instruction['signatures']>;

/** What was asked cannot be asked: the message names the field, what was expected and what came. Nothing was sent. */
export class InvalidRequest extends Error {
  readonly kind = 'InvalidRequest';
}

interface Request {
  readonly coin: string;
  /** 16 bytes; random if absent. The same one again is the same ceremony: give it again to repeat a send whose answer was lost. */
  readonly requestId?: Hex;
  /** Seconds UTC; at most seven days ahead. Default: now + 600. */
  readonly expiresAt?: number;
  /** Where the operator file names `instructionKeys`: k of m signatures on {@link Asked.bytes}. */
  readonly signatures?: InstructionSignatures;
}

export interface KeygenRequest extends Request {
  /** Operator indexes, ascending; default: all of the committee that have the coin. */
  readonly signers?: readonly number[];
}

export interface SignRequest extends Request {
  readonly keyId: Hex;
  /** 1 to min(100, 1450 / t) messages of 1 to 4,096 bytes. */
  readonly messages: readonly Uint8Array[];
  /** 1 to 64 printable ASCII characters; what policies look at. */
  readonly purpose: string;
  /** Of the key; absent: made by all operators of the coin at the committee's threshold. Without it a key of fewer has another ceremony id than the one returned. */
  readonly certificate?: Certificate;
}

/** What was asked: enough to recognise its outcome, to repeat it, and for another operator's client to ask for the same. */
export interface Asked {
  readonly ceremony: Hex;
  readonly coin: string;
  readonly requestId: Hex;
  readonly expiresAt: number;
  readonly parameters: CeremonyParameters;
  readonly instruction: Instruction;
  /** What an instruction key signs. */
  readonly bytes: Uint8Array;
}

export interface ClientOptions {
  readonly committee: Committee;
  /** The operator whose client this is. */
  readonly identity: string;
  readonly coins: readonly string[];
  readonly transport: Transport;
  /** Milliseconds UTC. */
  readonly now?: () => number;
  /** `length` random bytes. */
  readonly random?: (length: number) => Uint8Array;
}

export class CoterieClient {
  readonly #options: ClientOptions;

  /** @throws {InvalidRequest} if the committee has no such operator or coin */
  constructor(options: ClientOptions) {
    const { committee, identity, coins } = options;
    const operator = committee.operatorByIdentity(identity);
    if (!operator) throw new InvalidRequest(`expected an operator of the committee, got ${JSON.stringify(identity)}`);
    const stranger = coins.find((coin) => !Object.hasOwn(operator.coins, coin));
    if (stranger !== undefined)
      throw new InvalidRequest(`expected coins of ${identity} in the committee file, got ${JSON.stringify(stranger)}`);
    this.#options = options;
  }

  /** Asks for a key. @throws {InvalidRequest} before anything is sent */
  async keygen(request: KeygenRequest): Promise<Asked> {
    const asked = this.prepareKeygen(request);
    await this.send(asked);
    return asked;
  }

  /** Asks for one signature on each message. @throws {InvalidRequest} before anything is sent */
  async sign(request: SignRequest): Promise<Asked> {
    const asked = this.prepareSign(request);
    await this.send(asked);
    return asked;
  }

  /** The instruction that {@link keygen} sends, unsent: to be signed elsewhere first. @throws {InvalidRequest} */
  prepareKeygen(request: KeygenRequest): Asked {
    const { committee } = this.#options;
    const { suite, t } = this.#held(request.coin);
    const { requestId, expiresAt } = this.#named(request);
    const signers = [...(request.signers ?? committee.signersOf(request.coin))];
    const parsed = keygenParameters.safeParse({
      kind: 'keygen',
      committee: committee.id,
      coin: request.coin,
      suite,
      t,
      signers,
      requestId,
      expiresAt,
    });
    if (!parsed.success) throw new InvalidRequest(`keygen: ${reasonOf(parsed.error)}`);
    const members = committee.signersOf(request.coin);
    const stranger = signers.find((index) => !members.includes(index));
    if (stranger !== undefined)
      throw new InvalidRequest(`keygen: signers: expected some of ${members.join(', ')}, got ${stranger}`);
    const { coin } = request;
    return this.#asked(parsed.data, { KeyGen: { coin, suite, t, signers, requestId, expiresAt } }, request.signatures);
  }

  /** The instruction that {@link sign} sends, unsent. @throws {InvalidRequest} */
  prepareSign(request: SignRequest): Asked {
    const { committee } = this.#options;
    const { coin, keyId, purpose } = request;
    const { requestId, expiresAt } = this.#named(request);
    const held = this.#held(coin);
    const { suite, t, signers } = request.certificate?.parameters ?? { ...held, signers: committee.signersOf(coin) };
    const messages = request.messages.map((each) => toHex(each));
    const parsed = signingParameters.safeParse({
      kind: 'signing',
      committee: committee.id,
      coin,
      suite,
      t,
      signers,
      keyId,
      messages,
      purpose,
      requestId,
      expiresAt,
    });
    if (!parsed.success) throw new InvalidRequest(`sign: ${reasonOf(parsed.error)}`);
    return this.#asked(parsed.data, { Sign: { keyId, messages, purpose, requestId, expiresAt } }, request.signatures);
  }

  /** Sends what was prepared. May be repeated: the operator runs it once. */
  async send(asked: Asked): Promise<void> {
    await this.#options.transport.instruct(asked.coin, bodyOf('MultisigInstruction', asked.instruction));
  }

  /**
   * Everything that the operator tells its client, each fact once, until the signal ends it. A message is taken off the queue when the loop asks for the next one, so
   * that what a crash interrupts comes again.
   */
  outcomes(options: { readonly signal?: AbortSignal; readonly waitSeconds?: number } = {}): AsyncIterable<Outcome> {
    return new Outcomes(this.#options.transport, this.#options.coins, options);
  }

  #asked(
    parameters: CeremonyParameters,
    instruction: Instruction,
    signatures: InstructionSignatures | undefined,
  ): Asked {
    const { coin, requestId, expiresAt, committee } = parameters;
    const scope: InstructionScope = { committee, coin };
    const signed = signatures ? { ...instruction, signatures } : instruction;
    const parsed = multisigInstruction.safeParse(signed);
    if (!parsed.success) throw new InvalidRequest(reasonOf(parsed.error));
    const bytes = instructionBytes(instruction, scope);
    return {
      ceremony: ceremonyId(parameters),
      coin,
      requestId,
      expiresAt,
      parameters,
      instruction: parsed.data,
      bytes,
    };
  }

  #held(coin: string) {
    const { committee, coins } = this.#options;
    const held = coins.includes(coin) ? committee.keyOf(coin) : undefined;
    if (!held) throw new InvalidRequest(`coin: expected one of ${coins.join(', ')}, got ${JSON.stringify(coin)}`);
    return held;
  }

  #named({ requestId, expiresAt }: Request): { requestId: Hex; expiresAt: number } {
    const { now = Date.now, random = (length) => new Uint8Array(randomBytes(length)) } = this.#options;
    const seconds = Math.floor(now() / 1_000);
    const until = expiresAt ?? seconds + DEFAULT_LIFE_SECONDS;
    // Operators refuse both; a refusal comes late and by another way.
    if (!(until > seconds)) throw new InvalidRequest(`expiresAt: expected a time after ${seconds}, got ${until}`);
    if (until > seconds + MAX_LIFE_SECONDS)
      throw new InvalidRequest(`expiresAt: expected a time within ${MAX_LIFE_SECONDS} s of ${seconds}, got ${until}`);
    return { requestId: requestId ?? toHex(random(16)), expiresAt: until };
  }
}
