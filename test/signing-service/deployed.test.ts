/** The functions themselves, as deployed: queues, sealed answers, gateways, gossip. The key is made by the services in their own ceremony; the scheme is the plain one. */
import { ed25519, x25519 } from '@noble/curves/ed25519.js';
import { describe, expect, test, vi } from 'vitest';
import { GATEWAY, identityOf, LocalCommittee, type Report } from '../../lib/local/committee.ts';
import { bodyOf, type Payload, parseBody, parseBodyAs } from '../../lib/messages/catalogue.ts';
import { parseContent } from '../../lib/messages/contents.ts';
import { type Hex, toHex } from '../../lib/messages/hex.ts';
import type { Environment } from '../../lib/node/function.ts';
import type { NodeConfig, ProcessorConfig } from '../../lib/node/node.ts';
import type { QueueName } from '../../lib/ports.ts';
import {
  type Answerers,
  type AnswerName,
  type AnswerOf,
  openAnswer,
  requestHash,
  sealAnswer,
} from '../../lib/signing-service/answer.ts';
import { listOf } from '../../lib/signing-service/recover.ts';
import { logKey } from '../../lib/signing-service/rows.ts';
import { bytesOf } from '../messages/fixtures.ts';
import { answerersOf, Questions } from './answered.ts';
import { ASSET, type Plain, tag } from './plain.ts';

vi.mock('../../lib/signing-service/coconut-scheme.ts', async () => {
  const { PlainScheme } = await import('./plain.ts');
  return { coconutScheme: () => new PlainScheme() };
});

const REPLY = bytesOf('one-time key');
const replyKey = toHex(x25519.getPublicKey(REPLY));
const reply = { replyTo: GATEWAY as string, replyKey };

class Deployed {
  readonly committee: LocalCommittee;
  readonly reports: Report[] = [];
  readonly bodies: string[] = [];
  readonly questions = new Questions();
  /** Whether operator files name a queue for outcomes. */
  listens = true;
  readonly withdrawals: { readonly operator: number; readonly withdrawal: Payload<'Withdrawal'> }[] = [];

  private constructor(n: number, t: number, f: number) {
    this.committee = new LocalCommittee({
      operators: n,
      threshold: t,
      coins: [],
      assets: { [ASSET]: { t, f, epoch: 3, depositors: { keys: [DEPOSITOR], required: 1, capPerEpoch: '1000' } } },
      cloud: { seed: new Uint8Array(32).fill(9), clock: 'virtual' },
      instruments: {
        run: (handler) => ({ ...handler, run: (env, batch) => handler.run(this.#configured(env), batch) }),
      },
    });
    this.committee.onReport((report) => this.reports.push(report));
    this.committee.onAnswer((body) => this.bodies.push(body));
    this.committee.onWithdrawal((withdrawal, operator) => this.withdrawals.push({ operator, withdrawal }));
  }

  static async made(n = 3, t = 2, f = 0): Promise<Deployed> {
    const deployed = new Deployed(n, t, f);
    await deployed.committee.assemble();
    await deployed.run();
    return deployed;
  }

  #configured(environment: Environment<NodeConfig>): Environment<NodeConfig> {
    const config = environment.config as ProcessorConfig;
    return this.listens ? environment : { ...environment, config: { ...config, outcomeQueue: undefined } };
  }

  get cloud(): LocalCommittee['cloud'] {
    return this.committee.cloud;
  }

  async run(): Promise<void> {
    await this.cloud.run();
  }

  async post(
    message: 'Transaction' | 'TransactionCertificate' | 'RecoverIssued' | 'Wake',
    payload: object,
    operators?: readonly number[],
  ): Promise<void> {
    const body = this.questions.ask(JSON.stringify({ [message]: payload }));
    await this.committee.post(ASSET, message, body, operators);
    await this.run();
  }

  /** All answers of one kind since the last call, opened. */
  async answers<N extends AnswerName>(name: N): Promise<AnswerOf<N>[]> {
    const opened: AnswerOf<N>[] = [];
    for (const body of this.bodies.splice(0)) {
      const parsed = parseBody(body);
      if (!parsed.ok || parsed.name !== name) throw new Error(`expected ${name}, got ${body.slice(0, 40)}`);
      const sealed = parsed.payload as Payload<'TransactionVote'>;
      const answer = await this.questions.open(answerersOf(this.committee.committee, ASSET), name, sealed, REPLY);
      if (!answer) throw new Error('an answer does not open');
      opened.push(answer);
    }
    return opened;
  }

  items(operator: number, table: 'Serials' | 'Issuance' | 'Keys') {
    return this.cloud.inspect.items(`${identityOf(operator)}/${ASSET}`, table);
  }

  reported(event: string): Report[] {
    return this.reports.filter((report) => report.event === event && report.role === ASSET);
  }
}

const DEPOSITOR = '0xd75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a' as Hex;
const point = (length: number): Hex => `0x${'01'.repeat(length)}`;
const output = (name: string) => ({
  commitment: tag(name),
  openings: [point(48), point(48)],
  value: point(48),
  ownerProof: point(160),
});

/** A message of the right shape, whose `proof` is the plain text of what it claims. */
function message(plain: Plain): object {
  const { tags = [], outputs = [], withdraw } = plain;
  return {
    version: 1,
    asset: ASSET,
    epoch: 3,
    inputs: tags.map((each) => ({ h: point(48), s: point(48), kappa: point(96), tag: each, value: point(48) })),
    outputs: outputs.map(output),
    deposits: [],
    ...(withdraw ? { withdraw } : {}),
    proof: toHex(Buffer.from(JSON.stringify(plain))),
    range: point(32),
  };
}
const spend = (plain: Plain = {}) => message({ tags: [tag(1)], outputs: ['a', 'b'], ...plain });

async function certificateOf(deployed: Deployed, of: object) {
  await deployed.post('Transaction', { ...of, ...reply });
  const votes = await deployed.answers('TransactionVote');
  const cast = votes.flatMap((each) => ('vote' in each ? [each] : []));
  const signatures = cast.map(({ index, signature }) => ({ index, signature })).sort((a, b) => a.index - b.index);
  return { vote: cast[0]?.vote, signatures: signatures.slice(0, 2) };
}

describe('signing services as deployed', () => {
  test('make their key, vote, sign and answer under the one-time key of each request', async () => {
    const deployed = await Deployed.made();
    const certificate = await certificateOf(deployed, spend());
    expect(certificate.signatures).toHaveLength(2);
    await deployed.post('TransactionCertificate', { ...certificate, ...reply });
    const issued = await deployed.answers('PartialSignatures');
    expect(issued.map(({ index }) => index).sort()).toEqual([1, 2, 3]);
    for (const { signatures } of issued) expect(signatures).toHaveLength(2);
    expect(deployed.reported('TokensSigned')).toHaveLength(3);

    // Again, a month later: the same answers, under another seal.
    deployed.cloud.advance(86_400 * 30);
    await deployed.post('TransactionCertificate', { ...certificate, ...reply });
    expect(await deployed.answers('PartialSignatures')).toEqual(expect.arrayContaining(issued));
    expect(deployed.reported('TokensSigned')).toHaveLength(3);
  });

  test('answer nobody but the gateways of the operator file, and do no work for others', async () => {
    const deployed = await Deployed.made();
    const elsewhere = 'coterie-mallory-answers' as QueueName;
    deployed.cloud.createQueue(elsewhere);
    for (const name of ['Transaction', 'TransactionCertificate'] as const) {
      const payload = name === 'Transaction' ? spend() : await certificateOf(deployed, spend({ tags: [tag(2)] }));
      await deployed.post(name, { ...payload, replyTo: elsewhere, replyKey });
    }
    await deployed.post('RecoverIssued', { tags: [tag(1)], replyTo: elsewhere, replyKey });
    expect(deployed.cloud.inspect.queues().get(elsewhere)).toMatchObject({ visible: 0 });
    expect(deployed.bodies).toEqual([]);
    expect(deployed.items(1, 'Serials').some(({ pk }) => pk.endsWith(tag(1)))).toBe(false);
    expect(deployed.reported('EnvelopeRejected')).toHaveLength(9);
  });

  test('refuse what is no message at all, or too large, without an answer and without a trace', async () => {
    const deployed = await Deployed.made();
    const bad = [
      '{',
      '{"Transaction":{}}',
      JSON.stringify({ Transaction: { ...spend(), ...reply, proof: point(5_000) } }),
      'x'.repeat(262_000),
    ];
    for (const body of bad) await deployed.committee.post(ASSET, 'Transaction', body, [1]);
    await deployed.run();
    expect(deployed.reported('EnvelopeRejected')).toHaveLength(bad.length);
    expect(deployed.items(1, 'Serials')).toEqual([]);
    expect(deployed.items(1, 'Issuance')).toEqual([]);
    expect(deployed.cloud.inspect.queues().get(`coterie-operator1-${ASSET}-Transaction` as QueueName)).toMatchObject({
      visible: 0,
      inFlight: 0,
    });
  });

  test('a refused transaction is told why, in the same sealed way', async () => {
    const deployed = await Deployed.made();
    await deployed.post('Transaction', { ...spend({ proof: 'Unbalanced' }), ...reply }, [1]);
    expect(await deployed.answers('TransactionVote')).toEqual([
      { index: 1, transaction: expect.any(String), refusal: { reason: 'Unbalanced' } },
    ]);
  });

  test('a withdrawal is told to every operator’s client, with the certificate that anyone can verify', async () => {
    const deployed = await Deployed.made();
    const withdraw = { amount: '5', recipient: 'bc1q', memo: 'rent' };
    const certificate = await certificateOf(deployed, spend({ outputs: [], withdraw }));
    await deployed.post('TransactionCertificate', { ...certificate, ...reply });
    await deployed.post('TransactionCertificate', { ...certificate, ...reply });
    expect(deployed.withdrawals.map(({ operator }) => operator).sort()).toEqual([1, 2, 3]);
    for (const { withdrawal } of deployed.withdrawals)
      expect(withdrawal).toEqual({ transaction: certificate.vote?.transaction, ...withdraw, certificate });
  });

  test('a withdrawal that nobody listened for is told when its certificate comes again, once somebody does', async () => {
    const deployed = await Deployed.made();
    const withdraw = { amount: '5', recipient: 'bc1q', memo: 'rent' };
    const certificate = await certificateOf(deployed, spend({ outputs: [], withdraw }));
    deployed.listens = false;
    await deployed.post('TransactionCertificate', { ...certificate, ...reply });
    expect(await deployed.answers('PartialSignatures')).toHaveLength(3);
    expect(deployed.withdrawals).toEqual([]);
    deployed.listens = true;
    await deployed.post('TransactionCertificate', { ...certificate, ...reply });
    expect(deployed.withdrawals.map(({ operator }) => operator).sort()).toEqual([1, 2, 3]);
    await deployed.post('TransactionCertificate', { ...certificate, ...reply });
    expect(deployed.withdrawals).toHaveLength(3);
  });

  test('a function opens what it needs: who votes and who tells what is stored open no share of the asset’s key', async () => {
    const deployed = await Deployed.made();
    const opened: string[] = [];
    const stop = deployed.cloud.intercept(({ port, operation, args, when }) => {
      if (port === 'wrapper' && operation === 'decrypt' && when === 'before') opened.push(args[2]['kind'] ?? '');
    });
    const certificate = await certificateOf(deployed, spend());
    expect(new Set(opened)).toEqual(new Set(['own']));
    opened.length = 0;
    await deployed.post('TransactionCertificate', { ...certificate, ...reply });
    // Its answers are signed as the others are; the share is worth more than the right to vote.
    expect(new Set(opened)).toEqual(new Set(['key', 'own']));
    opened.length = 0;
    await deployed.post('RecoverIssued', { tags: [tag(1)], ...reply });
    expect(new Set(opened)).toEqual(new Set(['own']));
    stop();
  });
});

describe('RecoverIssued', () => {
  test('gives a restored wallet what is stored under its tags and its outputs, finished or not', async () => {
    const deployed = await Deployed.made();
    const { id32 } = await import('./plain.ts');
    const certificate = await certificateOf(deployed, spend());
    await deployed.post('TransactionCertificate', { ...certificate, ...reply });
    const issued = await deployed.answers('PartialSignatures');
    const locked = spend({ tags: [tag(2)], outputs: ['c'] });
    await certificateOf(deployed, locked);

    await deployed.post('RecoverIssued', { tags: [tag(1), tag(2), tag(3)], ...reply }, [2]);
    const [byTags] = await deployed.answers('RecoveredIssued');
    expect(byTags).toMatchObject({ index: 2, part: 1, parts: 1 });
    const [done, open] = [...(byTags?.issued ?? [])].sort((a) => (a.signatures ? -1 : 1));
    expect(done?.signatures).toEqual(issued.find(({ index }) => index === 2)?.signatures);
    expect(done?.certificate).toEqual(certificate);
    expect(open?.signatures).toBeUndefined();
    expect(open?.vote?.vote.tags).toEqual([tag(2)]);

    await deployed.post(
      'RecoverIssued',
      { outputs: [id32('output a'), id32('output c'), id32('nobody’s')], ...reply },
      [3],
    );
    const [byOutputs] = await deployed.answers('RecoveredIssued');
    expect(byOutputs?.issued).toHaveLength(2);
    await deployed.post('RecoverIssued', { outputs: [id32('nobody’s')], ...reply }, [3]);
    expect(await deployed.answers('RecoveredIssued')).toEqual([
      { index: 3, part: 1, parts: 1, list: listOf([]), issued: [] },
    ]);
  });
});

describe('spent serials', () => {
  const hour = 3_600;

  test('go to services that were not told: a locked serial becomes spent without its gateway', async () => {
    const deployed = await Deployed.made();
    const certificate = await certificateOf(deployed, spend());
    await deployed.post('TransactionCertificate', { ...certificate, ...reply }, [1]);
    const stateAt = (operator: number) =>
      deployed.items(operator, 'Serials').find(({ pk }) => pk.endsWith(tag(1)))?.['state'];
    expect(stateAt(3)).toMatch(/^locked#/);
    deployed.cloud.advance(hour);
    await deployed.post('Wake', {});
    expect(stateAt(3)).toBe(stateAt(1));
    expect(stateAt(3)).toMatch(/^spent#/);
    // The signatures were not issued by this, and are when the wallet comes.
    deployed.bodies.length = 0;
    await deployed.post('TransactionCertificate', { ...certificate, ...reply }, [3]);
    expect(await deployed.answers('PartialSignatures')).toHaveLength(1);
    // What was said once is not said again.
    const sent: string[] = [];
    deployed.cloud.inspect.onSend(({ body }) => void (body.startsWith('{"SpentSerialsOut"') && sent.push(body)));
    deployed.cloud.advance(hour);
    await deployed.post('Wake', {}, [1, 2]);
    expect(sent).toEqual([]);
  });

  test('go to all, though a ceremony fails at every wake-up', async () => {
    const deployed = await Deployed.made();
    const certificate = await certificateOf(deployed, spend());
    await deployed.post('TransactionCertificate', { ...certificate, ...reply }, [1]);
    deployed.cloud.advance(hour);
    const stop = deployed.cloud.intercept(({ namespace, operation }) => {
      if (namespace === `operator1/${ASSET}` && operation === 'due') throw new Error('a row that is none');
    });
    await deployed.post('Wake', {}, [1]);
    stop();
    expect(deployed.reported('HandlerFailed').length).toBeGreaterThan(0);
    const states = deployed.items(3, 'Serials').map(({ state }) => `${state}`);
    expect(states.filter((state) => state.startsWith('spent#'))).toHaveLength(1);
  });

  test('all go by one wake-up, though somebody pays himself more often than a page holds', async () => {
    const deployed = await Deployed.made();
    const place = { asset: ASSET, epoch: 3 };
    const store = deployed.cloud.store(`operator1/${ASSET}`);
    const put = async (count: number) => {
      const from = Math.floor(deployed.cloud.now / 1_000);
      for (let k = 0; k < count; k++) {
        const bytes = bytesOf(`certificate ${from} ${k}`);
        // Fifty in a second.
        const key = logKey(place.asset, place.epoch, from + Math.floor(k / 50), toHex(bytes));
        await store.write({ kind: 'put', table: 'Issuance', item: { ...key, bytes, how: 'brought' } });
      }
      deployed.cloud.advance(hour);
    };
    const said: Hex[] = [];
    deployed.cloud.inspect.onSend(({ body }) => {
      const parsed = parseBodyAs('SpentSerialsOut', body);
      const content = parsed.ok ? parseContent('SpentSerials', parsed.payload.content) : undefined;
      if (content?.ok) said.push(...(content.content.certificates as Hex[]));
    });
    await put(500);
    await deployed.post('Wake', {}, [1]);
    expect(said).toHaveLength(500);
    // One wake-up does not go on for ever: 32 pages of two seconds each, and the next goes on from there.
    said.length = 0;
    await put(3_300);
    await deployed.post('Wake', {}, [1]);
    expect(said).toHaveLength(3_200);
    await deployed.post('Wake', {}, [1]);
    expect(said).toHaveLength(3_300);
    expect(new Set(said).size).toBe(3_300);
    await deployed.post('Wake', {}, [1]);
    expect(said).toHaveLength(3_300);
  });

  test('a service whose table was restored asks its peers, has their whole list again, and never votes', async () => {
    const deployed = await Deployed.made();
    const empty = deployed.cloud.snapshotTable(`operator1/${ASSET}`, 'Serials');
    for (let serial = 1; serial <= 20; serial++) {
      const certificate = await certificateOf(deployed, spend({ tags: [tag(serial)], outputs: [`${serial}`] }));
      await deployed.post('TransactionCertificate', { ...certificate, ...reply });
      deployed.bodies.length = 0;
      if (serial % 7 === 0) deployed.cloud.advance(hour);
    }
    deployed.cloud.restoreTable(`operator1/${ASSET}`, empty);
    deployed.cloud.advance(hour);
    await deployed.post('Transaction', { ...spend({ tags: [tag(99)] }), ...reply }, [1]);
    expect(await deployed.answers('TransactionVote')).toMatchObject([{ refusal: { reason: 'ReadOnly' } }]);
    const spent = () =>
      deployed.items(1, 'Serials').filter(({ pk, state }) => pk.startsWith('T#') && `${state}`.startsWith('spent#'))
        .length;
    await deployed.post('Wake', {}, [1]);
    expect(spent()).toBe(20);
    // Once more, and nothing but this table: how far its peers had told it then says nothing of what is in this one.
    deployed.cloud.restoreTable(`operator1/${ASSET}`, empty);
    expect(spent()).toBe(0);
    deployed.cloud.advance(hour);
    await deployed.post('Wake', {}, [1]);
    expect(spent()).toBe(20);
    await deployed.post('Transaction', { ...spend({ tags: [tag(98)] }), ...reply }, [1]);
    expect(await deployed.answers('TransactionVote')).toMatchObject([{ refusal: { reason: 'ReadOnly' } }]);
    expect(deployed.reported('ReadOnly').length).toBeGreaterThan(0);
    // What it tells a restored wallet may not be all that it once had stored.
    await deployed.post('RecoverIssued', { tags: [tag(1)], ...reply }, [1, 2]);
    const told = await deployed.answers('RecoveredIssued');
    expect(told.map(({ index, readOnly, issued }) => [index, readOnly, issued.length]).sort()).toEqual([
      [1, true, 1],
      [2, undefined, 1],
    ]);
  });

  test('a certificate that certifies nothing marks nothing, whoever sends it', async () => {
    const deployed = await Deployed.made();
    const { contentText } = await import('../../lib/messages/contents.ts');
    const { certificateBytes } = await import('../../lib/signing-service/certificate.ts');
    const certificate = await certificateOf(deployed, spend());
    if (!certificate.vote) throw new Error('no vote');
    const too = { vote: { ...certificate.vote, tags: [tag(5)] }, signatures: certificate.signatures };
    const few = { vote: certificate.vote, signatures: certificate.signatures.slice(0, 1) };
    const content = contentText('SpentSerials', {
      certificates: [too, few].map((each) => toHex(certificateBytes(each))),
    });
    const header = {
      type: 'SpentSerials',
      committee: deployed.committee.committee.id,
      coin: ASSET,
      ceremony: toHex(bytesOf('place')),
      slot: '',
      from: 2,
      to: 0,
    } as const;
    const { Node } = await import('../../lib/node/node.ts');
    const { openOwn } = await import('../../lib/node/own-keys.ts');
    const { signStatement } = await import('../../lib/messages/statement.ts');
    const ports = {
      store: deployed.cloud.store(`operator2/${ASSET}`),
      wrapper: deployed.cloud.wrapper(`operator2/${ASSET}`),
      random: deployed.cloud.random('test'),
    };
    const config = { role: 'processor', identity: 'operator2', coin: ASSET } as never;
    const key = await openOwn(new Node(config, ports as never), 'SIGNATURE');
    const statement = signStatement(header, content, key.bytes);
    await deployed.cloud.bus().send([
      { queue: `coterie-operator1-${ASSET}-SpentSerialsIn` as QueueName, body: bodyOf('SpentSerialsIn', statement) },
      {
        queue: `coterie-operator1-${ASSET}-SpentSerialsIn` as QueueName,
        body: bodyOf('SpentSerialsIn', { ...statement, from: 3 }),
      },
    ]);
    await deployed.run();
    expect(deployed.items(1, 'Serials').some(({ state }) => `${state}`.startsWith('spent'))).toBe(false);
    expect(
      deployed
        .reported('EnvelopeRejected')
        .map(({ fields }) => fields['reason'])
        .sort(),
    ).toEqual(['a certificate certifies nothing', 'the signature does not verify']);
    // Nobody makes another look alive.
    const told = deployed.items(1, 'Issuance').filter(({ sk }) => sk.startsWith('TOLD#'));
    expect(told.map(({ sk }) => sk)).toEqual(['TOLD#002']);
  });
});

describe('answers', () => {
  const scope = { committee: toHex(bytesOf('committee')), asset: ASSET, index: 2 };
  const answer: AnswerOf<'PartialSignatures'> = { transaction: toHex(bytesOf('t')), index: 2, signatures: [point(48)] };

  const secret = bytesOf('signature key of service 2');
  const publicKey = (of: Uint8Array): Hex => toHex(ed25519.getPublicKey(of));
  const { committee } = scope;
  const keys = new Map([
    [2, publicKey(secret)],
    [3, publicKey(bytesOf('signature key of service 3'))],
  ]);
  const us: Answerers = { committee, asset: ASSET, keys };
  const request = requestHash('{"TransactionCertificate":{}}');

  async function sealedBy(signatureSecret: Uint8Array, question = { request, replyKey }) {
    const text = await sealAnswer(scope, 'PartialSignatures', answer, question, signatureSecret, bytesOf('randomness'));
    const body = parseBodyAs('PartialSignatures', text);
    if (!body.ok) throw new Error(body.reason);
    return body.payload;
  }

  test('open for the one-time key only, and as what that service said there only', async () => {
    const sealed = await sealedBy(secret);
    expect(await openAnswer(us, 'PartialSignatures', sealed, request, REPLY)).toEqual(answer);
    const others: [Answerers, AnswerName, typeof sealed, Uint8Array][] = [
      [us, 'PartialSignatures', sealed, bytesOf('another key')],
      [us, 'TransactionVote', sealed, REPLY],
      [{ ...us, asset: 'eur' }, 'PartialSignatures', sealed, REPLY],
      [{ ...us, committee: replyKey }, 'PartialSignatures', sealed, REPLY],
      [us, 'PartialSignatures', { ...sealed, index: 3 }, REPLY],
      [us, 'PartialSignatures', { ...sealed, index: 4 }, REPLY],
    ];
    for (const [who, name, what, key] of others)
      expect(await openAnswer(who, name, what, request, key)).toBeUndefined();
    expect(JSON.stringify(sealed)).not.toContain(answer.transaction.slice(2));
  });

  test('are nobody’s whom they do not name: whoever has the one-time key cannot refuse in a service’s name', async () => {
    const forged = await sealedBy(bytesOf('signature key of service 3'));
    expect(await openAnswer(us, 'PartialSignatures', forged, request, REPLY)).toBeUndefined();
  });

  test('are to one question: the answer to another one under the same one-time key is none', async () => {
    const other = await sealedBy(secret, { request: requestHash('{"RecoverIssued":{}}'), replyKey });
    expect(await openAnswer(us, 'PartialSignatures', other, request, REPLY)).toBeUndefined();
  });
});
