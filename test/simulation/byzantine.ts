/**
 * What a Byzantine operator may do on the wire, each as a behaviour of its own with a name that says what it is.
 *
 * The functions of the operator run unmodified. A behaviour stands where they hand their messages to the queues, with all keys of all Byzantine operators: every lie
 * is signed and, where the partition asks for it, sealed, so that nothing but the protocol can tell it from the truth.
 */
import type { Payload } from '../../lib/messages/catalogue.ts';
import type { ContentOf } from '../../lib/messages/contents.ts';
import type { Hex } from '../../lib/messages/hex.ts';
import { ceremonyId } from '../../lib/messages/parameters.ts';
import type { SealedStatement, Statement, StatementType } from '../../lib/messages/statement.ts';
import type { OutgoingMessage } from '../../lib/ports.ts';
import { leaderOf } from '../../lib/signing/step.ts';
import type { Adversary, Behaviour, Moment } from './adversary.ts';
import { type LieKind, liesAbout } from './byzantine-lies.ts';

type Said = Statement | SealedStatement;

/** A parcel that carries a statement, with the statement inside if a Byzantine operator can read it. */
interface Spoken {
  readonly from: number;
  readonly to: number;
  readonly payload: Said;
  readonly statement: Statement | undefined;
}

/** What leaves instead of one parcel; `undefined`: the parcel itself. */
type Change = (
  spoken: Spoken & { readonly statement: Statement },
  world: Adversary,
) => readonly OutgoingMessage[] | undefined | Promise<readonly OutgoingMessage[] | undefined>;

function behaviour(
  name: string,
  change: Change,
  moment?: (moment: Moment, world: Adversary) => Promise<void>,
): Behaviour {
  return {
    name,
    outgoing: async (message, _puppet, world) => {
      const spoken = spokenIn(message, world);
      if (!spoken?.statement) return [message];
      const instead = await change({ ...spoken, statement: spoken.statement }, world);
      if (instead) world.lied(name);
      return instead ?? [message];
    },
    ...(moment ? { moment } : {}),
  };
}

export function spokenIn({ body }: OutgoingMessage, world: Adversary): Spoken | undefined {
  if (!body.startsWith('{"P2PIncoming"')) return undefined;
  const { P2PIncoming: parcel } = JSON.parse(body) as { P2PIncoming: Payload<'P2PIncoming'> };
  if (!('ceremony' in parcel.payload)) return undefined;
  const payload = parcel.payload as Said;
  const same = (each: Statement) =>
    each.type === payload.type &&
    each.ceremony === payload.ceremony &&
    each.slot === payload.slot &&
    each.from === payload.from &&
    each.to === payload.to;
  const statement = 'ciphertext' in payload ? world.statements.findLast(same) : payload;
  return { from: parcel.from, to: parcel.to, payload, statement };
}

/** Says it: signed by its sender, sealed where the truth was, in a parcel of its sender's coordinator. */
async function instead(spoken: Spoken, text: string, world: Adversary): Promise<OutgoingMessage[]> {
  const { from, to, payload } = spoken;
  const statement = world.say(from, payload.type, payload, text);
  const body = 'ciphertext' in payload ? await world.seal(statement, to) : statement;
  return body ? [world.parcel(from, to, body)] : [];
}

function lieOf(kind: LieKind, field: string, { type, content }: Statement, world: Adversary): string {
  const curve = world.suite.includes('ED25519') ? 'ed25519' : 'secp256k1';
  const lie = liesAbout(type, content, curve).find((each) => each.kind === kind && each.field === field);
  if (!lie) throw new Error(`there is no lie of ${kind} in ${field} about ${type}`);
  return lie.text;
}

/** One half of the honest operators: the lower one, at least one. */
function isInFirstHalf(operator: number, { honest }: Adversary): boolean {
  return honest.indexOf(operator) < Math.ceil(honest.length / 2);
}

/** One kind of lie about one type, to every reader or to the first honest one. */
export function lies(type: StatementType, kind: LieKind, field: string, audience: 'all' | 'one' = 'all'): Behaviour {
  return behaviour(`${type} with ${kind} in ${field || 'all of it'}, to ${audience}`, (spoken, world) => {
    if (spoken.payload.type !== type || (audience === 'one' && spoken.to !== world.honest[0])) return undefined;
    return instead(spoken, lieOf(kind, field, spoken.statement, world), world);
  });
}

/** The truth to one half, and something that is just as good to the other: the same content in other bytes. */
export function twoFaced(type: StatementType): Behaviour {
  return behaviour(`another ${type} to the other half`, (spoken, world) => {
    if (spoken.payload.type !== type || isInFirstHalf(spoken.to, world)) return undefined;
    return instead(spoken, `{ ${spoken.statement.content.slice(1)}`, world);
  });
}

/** Both to everybody, the truth first. */
export function contradicts(type: StatementType): Behaviour {
  return behaviour(`two ${type} to everybody`, async (spoken, world) => {
    if (spoken.payload.type !== type) return undefined;
    const { from, to, payload } = spoken;
    return [
      world.parcel(from, to, payload),
      ...(await instead(spoken, `{ ${spoken.statement.content.slice(1)}`, world)),
    ];
  });
}

export function withholds(types: readonly StatementType[], from: 'all' | 'all but one' = 'all'): Behaviour {
  return behaviour(`withholds ${types.join(', ')} from ${from}`, ({ payload, to }, world) => {
    if (!types.includes(payload.type)) return undefined;
    return from === 'all but one' && to === world.honest[0] ? undefined : [];
  });
}

/** Holds messages back until some seconds before (or after) the key generation expires, then sends them to all or to the first half. */
export function late(types: readonly StatementType[], secondsBefore: number, half: boolean): Behaviour {
  const held: OutgoingMessage[] = [];
  const isDue = (world: Adversary): boolean => {
    const expiresAt = world.committee.file.coins[world.coin]?.genesis?.expiresAt ?? 0;
    return world.now() >= expiresAt - secondsBefore;
  };
  return behaviour(
    `${types.join(', ')} ${secondsBefore} s before the deadline${half ? ', to half' : ''}`,
    ({ payload, from, to }, world) => {
      if (!types.includes(payload.type) || isDue(world)) return undefined;
      if (!half || isInFirstHalf(to, world)) held.push(world.parcel(from, to, payload));
      return [];
    },
    async (_moment, world) => {
      if (isDue(world)) await world.send(held.splice(0));
    },
  );
}

/** Confirms to the first half, aborts to the second. */
export function confirmsAndAborts(): Behaviour {
  return behaviour('confirms and aborts', ({ payload, from, to }, world) => {
    if (payload.type === 'KeyGenCertificate') return [];
    if (payload.type !== 'KeyGenVerdict' || isInFirstHalf(to, world)) return undefined;
    return [world.parcel(from, to, world.sayContent(from, 'KeyGenVerdict', payload, { aborted: 'Aborted' }))];
  });
}

/** Says that it aborts for a reason that it never proves. */
export function abortsUnproven(): Behaviour {
  return behaviour('aborts for a reason that it does not prove', ({ payload, from, to }, world) => {
    if (payload.type === 'KeyGenVerdict') return [];
    if (payload.type !== 'EncryptedKeyShare') return undefined;
    const verdict = world.sayContent(from, 'KeyGenVerdict', { ...payload, to: 0 }, { aborted: 'InvalidShare' });
    return [world.parcel(from, to, verdict)];
  });
}

/** After its own confirmation: statements of others, whole, changed, and mixed, as if they proved something. */
export function framesEverybody(): Behaviour {
  return behaviour('shows what proves nothing', ({ payload, from, to }, world) => {
    if (payload.type !== 'KeyGenVerdict') return undefined;
    const of = world.statements.filter(({ ceremony, type }) => ceremony === payload.ceremony && type.startsWith('Enc'));
    const forged = of.map((each) => ({ ...each, content: `${each.content} ` }));
    const foreign = of.map((each) => ({ ...each, from: (each.from % world.n) + 1 }));
    const shown = [
      of.slice(0, 12),
      forged.slice(0, 12),
      foreign.slice(0, 12),
      [...of.slice(0, 6), ...forged.slice(0, 6)],
    ];
    return [
      world.parcel(from, to, payload),
      ...shown
        .filter((statements) => statements.length > 0)
        .slice(0, world.n)
        .map((statements, i) =>
          world.parcel(
            from,
            to,
            world.say(
              from,
              'KeyGenEvidence',
              { ceremony: payload.ceremony, slot: `${i}` },
              JSON.stringify({ statements }),
            ),
          ),
        ),
    ];
  });
}

interface PackageContent {
  readonly signers: readonly number[];
  readonly sources: readonly Hex[];
  readonly commitments: readonly (readonly { readonly hiding: Hex; readonly binding: Hex }[])[];
}

/** As leader: a package in which some signer's commitments are not what that signer said. */
export function altersCommitments(of: 'the reader' | 'another signer'): Behaviour {
  return behaviour(`a package with altered commitments of ${of}`, (spoken, world) => {
    if (spoken.payload.type !== 'SigningPackage') return undefined;
    const content = JSON.parse(spoken.statement.content) as PackageContent;
    const altered = content.commitments.map((pairs, i) =>
      (content.signers[i] === spoken.to) === (of === 'the reader')
        ? pairs.map(({ hiding, binding }) => ({ hiding: binding, binding: hiding }))
        : pairs,
    );
    return instead(spoken, JSON.stringify({ ...content, commitments: altered }), world);
  });
}

/** As leader: two packages for the same nonces. In the same place they convict; as two sessions, only the first may be answered. */
export function secondPackage(place: 'the same session' | 'the next session'): Behaviour {
  return behaviour(`two packages for one nonce, in ${place}`, (spoken, world) => {
    if (spoken.payload.type !== 'SigningPackage') return undefined;
    const { from, to, payload, statement } = spoken;
    const content = JSON.parse(statement.content) as PackageContent;
    const [k = '0', session = '0'] = payload.slot.split('.');
    const slot = place === 'the same session' ? payload.slot : `${k}.${Number(session) + 1}`;
    // Other commitments of somebody else: everything about the reader's own entry is right (attack NON-02).
    const other = content.commitments.map((pairs, i) =>
      content.signers[i] === to ? pairs : pairs.map(({ hiding, binding }) => ({ hiding: binding, binding: hiding })),
    );
    const second = world.say(
      from,
      'SigningPackage',
      { ...payload, slot },
      JSON.stringify({ ...content, commitments: other }),
    );
    return [world.parcel(from, to, payload), world.parcel(from, to, second)];
  });
}

/** Ceremonies that nobody asked for, each with an id, a leader and a commitment as they should be. */
export function floods(count: number): Behaviour {
  let told = 0;
  return {
    name: `${count} ceremonies that nobody asked for`,
    moment: async (moment, world) => {
      const known = world.statements.findLast(
        ({ type, from }) => type === 'NonceCommitment' && world.byzantine.includes(from),
      );
      const [from] = world.byzantine;
      if (moment !== 'tick' || !known || from === undefined || told >= count) return;
      const content = JSON.parse(known.content) as ContentOf<'NonceCommitment'>;
      while (told < count) {
        const batch: OutgoingMessage[] = [];
        for (let i = 0; i < 100 && told < count; i++, told++) {
          const requestId = `0x${told.toString(16).padStart(32, 'f')}` as Hex;
          const parameters = { ...content.parameters, requestId, expiresAt: world.now() + 3_600 };
          const ceremony = ceremonyId(parameters);
          const to = leaderOf(parameters, ceremony, 0);
          if (world.byzantine.includes(to)) continue;
          const stray = world.sayContent(
            from,
            'NonceCommitment',
            { ceremony, slot: '0', to },
            { ...content, parameters },
          );
          // Twice: what is said again must count for no second voice.
          batch.push(world.parcel(from, to, stray), world.parcel(from, to, stray));
        }
        await world.send(batch);
      }
      world.lied('strays');
    },
  };
}

/** A coordinator that spoils what its own processor sends: it holds no signature key of it. */
export type Spoiling = 'drops' | 'duplicates' | 'reorders' | 'forges' | 'substitutes' | 'misaddresses';

/** @param spoiling as a coordinator alone could: nothing here is signed with a processor's key */
export function spoilingCoordinator(spoiling: Spoiling): Behaviour {
  const held: OutgoingMessage[] = [];
  const seen: Spoken[] = [];
  return {
    name: `a coordinator that ${spoiling}`,
    outgoing: (message, _puppet, world) => {
      const spoken = spokenIn(message, world);
      if (!spoken) return [message];
      seen.push(spoken);
      world.lied(spoiling);
      const { from, to, payload } = spoken;
      switch (spoiling) {
        case 'drops':
          return [];
        case 'duplicates':
          return [message, message, message];
        case 'reorders':
          held.push(message);
          return held.length < 4 ? [] : held.splice(0).reverse();
        case 'forges': {
          const forged =
            'ciphertext' in payload
              ? { ...payload, ciphertext: `${payload.ciphertext.slice(0, -2)}00` as Hex }
              : { ...payload, content: `${payload.content} ` };
          return [world.parcel(from, to, forged), message];
        }
        case 'substitutes': {
          // What an honest operator said, as if this one had; and what was said elsewhere, as if it had been said here.
          const other = world.statements.findLast((each) => each.type === payload.type && each.from !== from);
          const earlier = seen.find((each) => each.payload.type === payload.type && each.payload !== payload);
          return [
            ...(other ? [world.parcel(from, to, other), world.parcel(from, to, { ...other, from })] : []),
            ...(earlier ? [world.parcel(from, to, { ...earlier.payload, slot: payload.slot })] : []),
            message,
          ];
        }
        case 'misaddresses': {
          const others = world.honest.filter((each) => each !== to);
          return [...others.map((other) => world.parcel(from, other, payload)), message];
        }
      }
    },
    moment: async (_moment, world) => {
      await world.send(held.splice(0));
    },
  };
}

/** Everything that it ever said or heard, again and again, to whoever it can reach. */
export function replays(): Behaviour {
  return {
    name: 'says everything again',
    moment: async (_moment, world) => {
      const again: OutgoingMessage[] = [];
      for (const message of world.overheard) {
        const spoken = spokenIn(message, world);
        const [from] = world.byzantine;
        if (!spoken || from === undefined) continue;
        for (const to of world.honest) again.push(world.parcel(from, to, spoken.payload));
      }
      for (const said of world.statements)
        if (world.byzantine.includes(said.from))
          for (const to of world.honest) again.push(world.parcel(said.from, to, said));
      await world.send(again.slice(-400));
      world.lied('replayed');
    },
  };
}
