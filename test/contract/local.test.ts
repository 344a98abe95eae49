import { LocalCloud } from '../../lib/local/cloud.ts';
import type { QueueName } from '../../lib/ports.ts';
import { busContract } from './bus.contract.ts';
import { keyWrapperContract } from './key-wrapper.contract.ts';
import { serialsContract } from './serials.contract.ts';
import { storeContract } from './store.contract.ts';

const cloud = (concurrency = 1): LocalCloud =>
  new LocalCloud({ seed: new Uint8Array(32).fill(1), clock: 'virtual', concurrency });

storeContract('lib/local', async () => cloud().store('alice/btc'));

serialsContract('lib/local', async () => cloud().store('alice/usd'));

keyWrapperContract('lib/local', async () => {
  const world = cloud();
  return [world.wrapper('alice/btc'), world.wrapper('bob/btc')];
});

for (const concurrency of [1, 4]) {
  busContract(`lib/local, ${concurrency} at once`, async () => {
    const world = cloud(concurrency);
    const forbidden = 'coterie-bob-btc-Start' as QueueName;
    world.createQueue(forbidden);
    let queues = 0;
    return {
      bus: world.bus({ maySend: (queue) => queue !== forbidden }),
      createQueue: async (options) => {
        const queue = `coterie-alice-btc-Contract${++queues}` as QueueName;
        world.createQueue(queue, options);
        return queue;
      },
      forbiddenQueue: async () => forbidden,
      subscribe: async (queue, handler) => void world.subscribe(queue, handler),
      pass: async (seconds) => {
        const until = world.now + seconds * 1000;
        if ((await world.run({ until })) === 'idle') world.advance((until - world.now) / 1000);
      },
      lying: async (queue) => world.inspect.deadLetters(queue),
      close: async () => {},
    };
  });
}
