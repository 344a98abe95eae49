/** A producer of each operator, from the first instruction to a verified signature, against an embedded committee. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { EndpointPlace } from '../../lib/cli/endpoint/client.ts';
import { EndpointTransport } from '../../lib/cli/endpoint/transport.ts';
import { VERIFIERS } from '../../lib/cli/verify.ts';
import { type Asked, CoterieClient } from '../../lib/client/coterie-client.ts';
import type { Outcome } from '../../lib/client/outcomes.ts';
import { fromHex, type Hex } from '../../lib/messages/hex.ts';
import { type Embedded, embedded } from '../cli/embedded.ts';

let world: Embedded;
beforeAll(async () => {
  world = await embedded();
});
afterAll(() => world.close());

/** The producer of one operator. */
async function producer(identity: string): Promise<CoterieClient> {
  const place = await EndpointPlace.connect({ kind: 'socket', path: world.at });
  const { committee } = world.committee;
  return new CoterieClient({ committee, identity, coins: ['sol'], transport: new EndpointTransport(place, identity) });
}

async function ended<Kind extends Outcome['kind']>(
  client: CoterieClient,
  kind: Kind,
  { ceremony }: Asked,
): Promise<Extract<Outcome, { kind: Kind }>> {
  const isIt = (outcome: Outcome): outcome is Extract<Outcome, { kind: Kind }> =>
    outcome.kind === kind && 'ceremony' in outcome && outcome.ceremony === ceremony;
  for await (const outcome of client.outcomes({ waitSeconds: 5 })) if (isIt(outcome)) return outcome;
  throw new Error('the outcomes ended');
}

it('operators’ producers that ask for the same thing get one key, and one signature that another library verifies', async () => {
  const clients = await Promise.all(['operator1', 'operator2', 'operator3'].map(producer));
  const [first] = clients;
  if (!first) throw new Error('three producers');
  const { requestId, expiresAt } = first.prepareKeygen({ coin: 'sol' });
  const keys = await Promise.all(
    clients.map(async (client) =>
      ended(client, 'KeygenOutcome', await client.keygen({ coin: 'sol', requestId, expiresAt })),
    ),
  );
  expect(new Set(keys.map(({ result, keyId }) => `${result} ${keyId}`)).size).toBe(1);
  const [{ keyId, publicKey } = {}] = keys;
  if (keyId === undefined || publicKey === undefined) throw new Error(`no key: ${keys[0]?.reason}`);

  const messages = [new TextEncoder().encode('pay alice')];
  const words = {
    coin: 'sol',
    keyId,
    messages,
    purpose: 'payout',
    requestId: `0x${'05'.repeat(16)}` as Hex,
    expiresAt,
  };
  const [asked] = await Promise.all(clients.slice(0, 2).map((client) => client.sign(words)));
  if (!asked) throw new Error('two producers');
  const outcome = await ended(first, 'SigningOutcome', asked);
  expect(outcome).toMatchObject({ result: 'succeeded', final: true });
  const [message = new Uint8Array()] = messages;
  const signature = fromHex(outcome.signatures?.[0] ?? '0x');
  expect(await VERIFIERS.sol.verify(fromHex(publicKey), message, signature)).toBe(true);
});

it('an abort ends the wait for outcomes at once', async () => {
  const client = await producer('operator1');
  const abort = new AbortController();
  const began = performance.now();
  setTimeout(() => abort.abort(), 50);
  for await (const _ of client.outcomes({ signal: abort.signal, waitSeconds: 20 }))
    if (performance.now() - began > 15_000) break;
  expect(abort.signal.aborted).toBe(true);
});
