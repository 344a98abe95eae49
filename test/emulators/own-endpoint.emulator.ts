import { describe } from 'vitest';
import { isLoopback } from '../../lib/aws/environment.ts';
import { type Engine, EngineUnavailable } from '../../scripts/emulators/engine.ts';
import { busAdapter, keyWrapperAdapter, storeAdapter } from './adapters.ts';
import { busOn, keyWrapperOn, storeOn } from './contracts.ts';
import { withEngine } from './engine-suite.ts';

/** An engine that runs already: LocalStack, for one. Not `AWS_ENDPOINT_URL`, so that nobody's settings choose it by accident. */
async function own(): Promise<Engine> {
  const endpoint = process.env['COTERIE_EMULATOR'];
  if (!endpoint)
    throw new EngineUnavailable('COTERIE_EMULATOR does not name the endpoint of an emulator that runs already');
  if (!isLoopback(endpoint)) throw new Error(`COTERIE_EMULATOR: expected an endpoint on loopback, got ${endpoint}`);
  return { name: 'own engine', version: endpoint, endpoint, folder: '', log: () => '', stop: async () => undefined };
}

await withEngine('own-endpoint', own, {}, (started) => {
  storeOn(started);
  busOn(started);
  keyWrapperOn(started);
  describe('the bus', () => busAdapter(started, { cross: false }));
  describe('the key wrapper', () => keyWrapperAdapter(started));
  describe('the store', () => storeAdapter(started));
});
