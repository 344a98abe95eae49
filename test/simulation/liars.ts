/** Byzantine operators for bulk runs: each seed casts up to t − 1 of them, and gives them vices of their own. */
import { SeededRandom } from '../../lib/local/random.ts';
import type { Payload } from '../../lib/messages/catalogue.ts';
import type { Hex } from '../../lib/messages/hex.ts';
import type { SealedStatement, Statement, StatementType } from '../../lib/messages/statement.ts';
import type { OutgoingMessage } from '../../lib/ports.ts';
import type { Adversary, Behaviour, Casting, Moment } from './adversary.ts';
import {
  abortsUnproven,
  altersCommitments,
  confirmsAndAborts,
  contradicts,
  floods,
  framesEverybody,
  late,
  replays,
  secondPackage as secondPackages,
  spoilingCoordinator,
  twoFaced,
  withholds,
} from './byzantine.ts';
import { liesAbout } from './byzantine-lies.ts';
import { seedBytes } from './seed.ts';

/** How often an operator with a vice gives way to it, for each parcel it could spoil. */
interface Vices {
  /** Changes any field of a content, and signs it. */
  readonly lies: number;
  /** Of the lies, how many are told to one reader only: the others hear the truth, or another lie. */
  readonly twoFaced: number;
  readonly withholds: number;
  readonly repeats: number;
  /** As a leader: a second package for the nonces of the first. */
  readonly secondPackages: number;
  /** Confirms, and aborts to somebody. */
  readonly bothVerdicts: number;
  /** Shows statements as evidence that prove nothing. */
  readonly frames: number;
  /** Opens ceremonies that nobody asked for. */
  readonly strays: number;
  /** From here on only: most lies in the first message end everything at once. */
  readonly spares: ReadonlySet<StatementType>;
}

/** @returns up to t − 1 operators and their vices; nothing for a committee in which one liar is a quorum */
export function castingFor(seed: number, operators: number, threshold: number): Casting | undefined {
  if (threshold < 2) return undefined;
  const dice = new SeededRandom(seedBytes(seed), 'casting');
  const count = 1 + dice.below(threshold - 1);
  const all = Array.from({ length: operators }, (_, i) => i + 1);
  const chosen = Array.from({ length: count }, () => all.splice(dice.below(all.length), 1)[0] as number);
  const known = dice.below(3) === 0 ? KNOWN[dice.below(KNOWN.length)] : undefined;
  return { operators: chosen.sort((a, b) => a - b), behaviour: known?.() ?? new Liar(drawVices(dice)) };
}

/** Single-minded ones, each of which a test of its own meets without faults; here they meet faults as well. */
const KNOWN: readonly (() => Behaviour)[] = [
  () => twoFaced('EncryptedPublicKey'),
  () => twoFaced('EncryptedKeyGenCommitment'),
  () => twoFaced('KeyGenVerdict'),
  () => twoFaced('NonceCommitment'),
  () => twoFaced('SigningPackage'),
  () => contradicts('KeyGenVerdict'),
  () => contradicts('SignatureShare'),
  () => withholds(['KeyGenVerdict', 'KeyGenCertificate']),
  () => withholds(['KeyGenVerdict', 'KeyGenCertificate'], 'all but one'),
  () => withholds(['SigningPackage', 'Signature']),
  () => late(['KeyGenVerdict'], 0, true),
  confirmsAndAborts,
  abortsUnproven,
  framesEverybody,
  () => altersCommitments('the reader'),
  () => altersCommitments('another signer'),
  () => secondPackages('the same session'),
  () => secondPackages('the next session'),
  () => floods(30),
  () => spoilingCoordinator('drops'),
  () => spoilingCoordinator('reorders'),
  () => spoilingCoordinator('substitutes'),
  () => spoilingCoordinator('misaddresses'),
  replays,
];

function drawVices(dice: SeededRandom): Vices {
  const rate = (most: number): number => (dice.below(3) === 0 ? (most * (1 + dice.below(100))) / 100 : 0);
  const keygen: StatementType[] = ['EncryptedPublicKey', 'EncryptedKeyGenCommitment', 'EncryptedKeyShare'];
  // Half of the liars let a key come into being, so that there is something to sign with.
  const spares = new Set<StatementType>(
    dice.below(2) === 0 ? [...keygen, 'KeyGenVerdict'] : keygen.slice(0, dice.below(4)),
  );
  return {
    lies: rate(0.6),
    twoFaced: dice.below(101) / 100,
    withholds: rate(0.5),
    repeats: rate(0.5),
    secondPackages: rate(1),
    bothVerdicts: spares.has('KeyGenVerdict') ? 0 : rate(1),
    frames: rate(0.3),
    strays: rate(0.5),
    spares,
  };
}

class Liar implements Behaviour {
  readonly name: string;
  readonly #vices: Vices;
  /** A lie that is told to all is the same for all. */
  readonly #told = new Map<string, string>();
  readonly #sent: OutgoingMessage[] = [];
  #strays = 0;

  constructor(vices: Vices) {
    this.#vices = vices;
    this.name = Object.entries(vices)
      .filter(([, rate]) => typeof rate === 'number' && rate > 0)
      .map(([vice]) => vice)
      .join(', ');
  }

  async outgoing(message: OutgoingMessage, _: unknown, world: Adversary): Promise<readonly OutgoingMessage[]> {
    const parcel = parcelOf(message);
    if (!parcel) return [message];
    const { dice } = world;
    const truth = truthOf(parcel.payload, world);
    if (!truth || this.#vices.spares.has(truth.type)) return [message];
    if (dice.chance(this.#vices.withholds)) {
      world.lied('withheld');
      return [];
    }
    const out = [dice.chance(this.#vices.lies) ? await this.#lie(message, parcel, truth, world) : message];
    if (truth.type === 'SigningPackage' && dice.chance(this.#vices.secondPackages))
      out.push(...secondPackage(parcel, truth, world));
    if (truth.type === 'KeyGenVerdict' && dice.chance(this.#vices.bothVerdicts)) {
      world.lied('confirmed and aborted');
      const aborted = world.sayContent(parcel.from, 'KeyGenVerdict', truth, { aborted: 'Aborted' });
      out.push(world.parcel(parcel.from, parcel.to, aborted));
    }
    if (dice.chance(this.#vices.repeats)) out.push(...this.#old(world));
    if (dice.chance(this.#vices.frames)) out.push(...frame(parcel, truth, world));
    this.#sent.push(message);
    return out;
  }

  async moment(moment: Moment, world: Adversary): Promise<void> {
    if (moment !== 'tick' || !world.dice.chance(this.#vices.strays)) return;
    const known = world.statements.findLast(({ type }) => type === 'NonceCommitment');
    const from = world.byzantine[0];
    if (!known || from === undefined) return;
    // As many ids as a peer can think of: each is a ceremony that nobody has asked for.
    for (let i = 0; i < 20; i++) {
      const ceremony = `0x${(++this.#strays).toString(16).padStart(64, '0')}` as Hex;
      for (const to of world.honest)
        await world.send([
          world.parcel(from, to, world.say(from, 'NonceCommitment', { ceremony, slot: '0', to }, known.content)),
        ]);
    }
    world.lied('strays');
  }

  async #lie(message: OutgoingMessage, parcel: Parcel, truth: Statement, world: Adversary): Promise<OutgoingMessage> {
    const { dice } = world;
    const curve = world.suite.includes('ED25519') ? 'ed25519' : 'secp256k1';
    const place = `${truth.type} ${truth.ceremony} ${truth.slot} ${truth.to}`;
    const known = dice.chance(this.#vices.twoFaced) ? undefined : this.#told.get(place);
    const lies = known === undefined ? liesAbout(truth.type, truth.content, curve) : [];
    const lie = lies[dice.below(lies.length)];
    const text = known ?? lie?.text;
    if (text === undefined) return message;
    this.#told.set(place, text);
    const statement = world.say(parcel.from, truth.type, truth, text);
    const body = 'ciphertext' in parcel.payload ? await world.seal(statement, parcel.to) : statement;
    if (!body) return message;
    world.lied(lie ? `${truth.type}: ${lie.kind}` : `${truth.type}: the same lie`);
    return world.parcel(parcel.from, parcel.to, body);
  }

  #old({ dice, lied }: Adversary): OutgoingMessage[] {
    const old = this.#sent[dice.below(this.#sent.length)];
    if (!old) return [];
    lied('said again');
    return [old];
  }
}

type Parcel = Payload<'P2PIncoming'> & { readonly payload: Statement | SealedStatement };

function parcelOf({ body }: OutgoingMessage): Parcel | undefined {
  if (!body.startsWith('{"P2PIncoming"')) return undefined;
  const { P2PIncoming: parcel } = JSON.parse(body) as { P2PIncoming: Parcel };
  return 'ceremony' in parcel.payload ? parcel : undefined;
}

/** What a parcel says: a liar knows its own words, sealed or not. */
function truthOf(payload: Statement | SealedStatement, world: Adversary): Statement | undefined {
  if (!('ciphertext' in payload)) return payload;
  const { type, ceremony, slot, from, to } = payload;
  return world.statements.findLast(
    (said) =>
      said.type === type && said.ceremony === ceremony && said.slot === slot && said.from === from && said.to === to,
  );
}

/** Another package for the same nonces: in the same place, which convicts, or as another session, which an honest signer must refuse. */
function secondPackage({ from, to }: Parcel, truth: Statement, world: Adversary): OutgoingMessage[] {
  const content = JSON.parse(truth.content) as {
    signers: number[];
    sources: Hex[];
    commitments: { hiding: Hex; binding: Hex }[][];
  };
  const own = content.signers.findIndex((index) => world.byzantine.includes(index));
  const other = content.commitments.map((pairs, i) =>
    i === own ? pairs.map(({ hiding, binding }) => ({ hiding: binding, binding: hiding })) : pairs,
  );
  if (own < 0) return [];
  const [leader = '0', session = '0'] = truth.slot.split('.');
  const slot = world.dice.below(2) === 0 ? truth.slot : `${leader}.${Number(session) + 1}`;
  world.lied('a second package');
  const text = JSON.stringify({ ...content, commitments: other });
  return [world.parcel(from, to, world.say(from, 'SigningPackage', { ...truth, slot }, text))];
}

/** Statements of others, as if they proved something. */
function frame({ from, to }: Parcel, truth: Statement, world: Adversary): OutgoingMessage[] {
  const of = world.statements.filter(
    ({ ceremony, type }) => ceremony === truth.ceremony && type.startsWith('Encrypted'),
  );
  if (of.length === 0) return [];
  const statements = Array.from(
    { length: 1 + world.dice.below(3) },
    () => of[world.dice.below(of.length)] as Statement,
  );
  // A statement with another signature under it: nobody said it.
  const forged = statements.map((each) =>
    world.dice.below(3) === 0 ? { ...each, content: `${each.content} ` } : each,
  );
  world.lied('framed somebody');
  const content = JSON.stringify({ statements: forged });
  return [
    world.parcel(
      from,
      to,
      world.say(from, 'KeyGenEvidence', { ceremony: truth.ceremony, slot: `${world.dice.below(3)}` }, content),
    ),
  ];
}
