/** A committee that holds an asset: seven operators' signing services make its key by themselves, as deployed, in one process. */
import { bls12_381 } from '@noble/curves/bls12-381.js';
import { describe, expect, test } from 'vitest';
import { decodeSecretKey, keyEquations, lagrange, type SecretKey } from '../../lib/coconut/keys.ts';
import { nobleVerifier } from '../../lib/coconut/noble-engine.ts';
import { assetKeyOf } from '../../lib/coconut-keygen/asset-key.ts';
import { LocalCommittee } from '../../lib/local/committee.ts';
import type { Payload } from '../../lib/messages/catalogue.ts';
import { ATTRIBUTES, type CoconutCertificate, verifyCertificate } from '../../lib/messages/certificate.ts';
import type { MultisigEvent } from '../../lib/messages/events.ts';
import type { Hex } from '../../lib/messages/hex.ts';
import { Node, type ProcessorConfig } from '../../lib/node/node.ts';
import { ASSET_KEY, longTermShareKey, publicKeyKey } from '../../lib/node/rows.ts';

const { Fr } = bls12_381.fields;
const ASSET = 'usd';
const DEPOSITOR: Hex = '0x3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c';

interface Made {
  readonly committee: LocalCommittee;
  readonly events: readonly { readonly operator: number; readonly event: MultisigEvent }[];
  readonly announced: ReadonlyMap<number, Payload<'PublicAddressAvailable'>>;
}

/** Assembles, and runs until nothing is left to do. */
async function made(operators: number, threshold: number, f: number, seed: number, genesis = true): Promise<Made> {
  const depositors = { keys: [DEPOSITOR], required: 1, capPerEpoch: '1000000' };
  const committee = new LocalCommittee({
    operators,
    threshold: operators,
    coins: [],
    genesis,
    assets: { [ASSET]: { t: threshold, f, depositors, epoch: 1 } },
    cloud: { seed: new Uint8Array(32).fill(seed), clock: 'virtual' },
  });
  const events: { operator: number; event: MultisigEvent }[] = [];
  const announced = new Map<number, Payload<'PublicAddressAvailable'>>();
  committee.onAssetEvent((event, operator) => events.push({ operator, event }));
  committee.onAddress((address, operator) => announced.set(operator, address));
  await committee.assemble();
  await committee.cloud.run();
  return { committee, events, announced };
}

function certificateOf({ announced }: Made): CoconutCertificate {
  const certificate = announced.get(1)?.certificate;
  if (!certificate || !('verificationKey' in certificate)) throw new Error('operator 1 announced no key of an asset');
  return certificate;
}

/** What only the operator itself can do: opens its share of the key. */
async function shareOf({ committee }: Made, operator: number, keyId: Hex): Promise<SecretKey> {
  const namespace = `operator${operator}/${ASSET}`;
  const { cloud } = committee;
  const config: ProcessorConfig = {
    role: 'processor',
    account: '000000000001',
    region: 'local',
    identity: `operator${operator}`,
    coin: ASSET,
    committeeHash: committee.committee.id,
    outcomeQueue: undefined,
    policies: [],
    instructionKeys: undefined,
  };
  const node = new Node(config, {
    bus: cloud.bus(),
    store: cloud.store(namespace),
    wrapper: cloud.wrapper(namespace),
    clock: cloud.clock(namespace),
    random: cloud.random('test'),
    telemetry: { record: () => {} },
  });
  const row = await node.ports.store.get('Keys', longTermShareKey(keyId));
  const secret = await node.vault.unwrap({ kind: 'key', id: keyId }, 'SHARE', row?.['blob'] as Uint8Array);
  return decodeSecretKey(secret.bytes, ATTRIBUTES);
}

/** x, y_1, y_2 at 0, from the shares of some. */
function interpolated(shares: ReadonlyMap<number, SecretKey>, indexes: readonly number[]): bigint[] {
  const weights = lagrange(indexes);
  const sum = (part: (key: SecretKey) => bigint) =>
    indexes.reduce((total, index, i) => {
      const share = shares.get(index);
      if (!share) throw new Error(`no share of ${index}`);
      return Fr.add(total, Fr.mul(weights[i] ?? 0n, part(share)));
    }, 0n);
  return [sum(({ x }) => x), sum(({ y }) => y[0] ?? 0n), sum(({ y }) => y[1] ?? 0n)];
}

function subsets(all: readonly number[], size: number): number[][] {
  if (size === 0) return [[]];
  return all.flatMap((first, i) => subsets(all.slice(i + 1), size - 1).map((rest) => [first, ...rest]));
}

describe('a 5-of-7 committee with an asset', async () => {
  const world = await made(7, 5, 2, 1);
  const certificate = certificateOf(world);
  const keyId = world.announced.get(1)?.keyId ?? '0x';
  const everybody = [1, 2, 3, 4, 5, 6, 7];

  test('makes its key by itself: every operator announces the same certified key, and no address', () => {
    expect([...world.announced.keys()].sort()).toEqual(everybody);
    for (const address of world.announced.values()) expect(address).toEqual(world.announced.get(1));
    expect(world.announced.get(1)).not.toHaveProperty('address');
    expect(verifyCertificate(world.committee.committee, certificate)).toMatchObject({ ok: true, keyId });
    const outcomes = world.events.flatMap(({ event }) => ('KeygenOutcome' in event ? [event.KeygenOutcome] : []));
    expect(outcomes).toHaveLength(7);
    const { alpha, betaTilde } = certificate.verificationKey;
    const publicKey = `${alpha}${betaTilde.map((point) => point.slice(2)).join('')}`;
    for (const outcome of outcomes)
      expect(outcome).toMatchObject({ result: 'succeeded', final: true, keyId, publicKey, culprits: [] });
    expect(outcomes[0]).not.toHaveProperty('address');
  });

  test('ECASH-14 the aggregated key is what any t service keys interpolate to, and every service key lies on it', () => {
    const { coconut, verificationKey, serviceKeys } = assetKeyOf(keyId, certificate);
    expect(coconut).toMatchObject({ attributes: 2, threshold: 5, total: 7 });
    expect(Buffer.from(verificationKey.id).toString('hex')).toBe(keyId.slice(2));
    const good = keyEquations(nobleVerifier, coconut, verificationKey, serviceKeys);
    expect(good.check(nobleVerifier, (length) => world.committee.cloud.random('weights').bytes(length))).toBe(true);
    for (const some of subsets(everybody, 5)) {
      const weights = lagrange(some);
      const zero = bls12_381.G2.Point.ZERO;
      const alpha = some.reduce((sum, index, i) => {
        const service = serviceKeys[index - 1];
        return service ? sum.add(service.alpha.multiplyUnsafe(weights[i] ?? 0n)) : sum;
      }, zero);
      expect(alpha.equals(verificationKey.alpha), `${some}`).toBe(true);
    }
  });

  test('any five shares are the key, and four are not', async () => {
    const shares = new Map<number, SecretKey>();
    for (const index of everybody) shares.set(index, await shareOf(world, index, keyId));
    const { alpha, beta, betaTilde } = certificate.verificationKey;
    const publicOf = ([x = 0n, ...y]: bigint[]) => ({
      alpha: `0x${bls12_381.G2.Point.BASE.multiply(x).toHex(true)}`,
      beta: y.map((each) => `0x${bls12_381.G1.Point.BASE.multiply(each).toHex(true)}`),
      betaTilde: y.map((each) => `0x${bls12_381.G2.Point.BASE.multiply(each).toHex(true)}`),
    });
    const key = interpolated(shares, [1, 2, 3, 4, 5]);
    expect(publicOf(key)).toEqual({ alpha, beta, betaTilde });
    for (const some of subsets(everybody, 5)) expect(interpolated(shares, some), `${some}`).toEqual(key);
    for (const few of subsets(everybody, 4)) {
      const wrong = interpolated(shares, few);
      for (const [part, value] of key.entries()) expect(wrong[part], `${few}`).not.toBe(value);
    }
    for (const index of everybody) {
      const { x, y } = shares.get(index) ?? { x: 0n, y: [] };
      expect(publicOf([x, ...y]), `service ${index}`).toEqual(certificate.serviceKeys[index - 1]);
    }
  });
});

test('two ceremonies at once certify at most one key, whoever asked for which first, and both end', async () => {
  const world = await made(3, 2, 0, 3, false);
  const { committee, events } = world;
  const expiresAt = committee.now() + 600;
  const asked = (requestId: Hex) => ({
    KeyGen: { coin: ASSET, suite: 'coconut-bls12381' as const, t: 2, signers: [1, 2, 3], requestId, expiresAt },
  });
  // Each service hears of both, in another order: none has a key yet when it is asked.
  const requests: Hex[] = [`0x${'01'.repeat(16)}`, `0x${'02'.repeat(16)}`];
  for (const [i, requestId] of requests.entries()) await committee.instruct(ASSET, asked(requestId), [1 + i, 3]);
  for (const [i, requestId] of requests.entries()) await committee.instruct(ASSET, asked(requestId), [2 - i]);
  // Not until nothing is left to do: whoever is unresolved repeats its confirmation for ever.
  await committee.cloud.run({ until: (expiresAt + 300) * 1000 });
  const final = events.flatMap(({ event }) => ('KeygenOutcome' in event ? [event.KeygenOutcome] : []));
  const certified = new Set(final.flatMap(({ result, keyId }) => (result === 'succeeded' && keyId ? [keyId] : [])));
  expect(certified.size).toBeLessThanOrEqual(1);
  for (const operator of [1, 2, 3]) {
    const store = committee.cloud.store(`operator${operator}/${ASSET}`);
    const held = await store.get('Keys', ASSET_KEY);
    const rows = committee.cloud.inspect.items(`operator${operator}/${ASSET}`, 'Keys');
    const keys = rows.filter((row) => row.pk.startsWith('K#') && row.sk === 'PUBLIC');
    expect(keys.map((row) => row.pk)).toEqual(held ? [`K#${held['keyId']}`] : []);
    const open = committee.cloud.inspect
      .items(`operator${operator}/${ASSET}`, 'Ceremonies')
      .filter((row) => row.sk === 'STATE' && !['Succeeded', 'Failed', 'Unresolved'].includes(`${row['stage']}`));
    expect(open).toEqual([]);
  }
});

describe('one key for each asset and epoch', async () => {
  const world = await made(3, 2, 0, 2);
  const keyId = world.announced.get(1)?.keyId ?? '0x';
  const { committee } = world;
  const second = (requestId: Hex) => ({
    KeyGen: {
      ...{ coin: ASSET, suite: 'coconut-bls12381' as const, t: 2, signers: [1, 2, 3], requestId },
      expiresAt: committee.now() + 600,
    },
  });

  test('an instruction for a second one is refused by every service, with the key that there is', async () => {
    await committee.instruct(ASSET, second(`0x${'aa'.repeat(16)}`));
    await committee.cloud.run();
    const refusals = world.events.flatMap(({ event }) => ('Refused' in event ? [event.Refused] : []));
    expect(refusals).toHaveLength(3);
    for (const refusal of refusals) {
      expect(refusal.reason).toBe('ConfigurationMismatch');
      expect(refusal.detail).toContain(keyId);
    }
    expect(world.announced.size).toBe(3);
    for (const operator of [1, 2, 3]) {
      const store = committee.cloud.store(`operator${operator}/${ASSET}`);
      expect(await store.get('Keys', ASSET_KEY)).toMatchObject({ keyId });
      expect(await store.get('Keys', publicKeyKey(keyId))).toMatchObject({ status: 'certified' });
    }
  });

  test('a key of an asset signs no messages: such an instruction is refused', async () => {
    const before = world.events.length;
    const requestId: Hex = `0x${'bb'.repeat(16)}`;
    const Sign = { keyId, messages: ['0x00' as Hex], purpose: 'test', requestId, expiresAt: committee.now() + 600 };
    await committee.instruct(ASSET, { Sign });
    await committee.cloud.run();
    const refusals = world.events.slice(before).map(({ event }) => ('Refused' in event ? event.Refused.reason : event));
    expect(refusals).toEqual(['UnknownKey', 'UnknownKey', 'UnknownKey']);
  });
});
