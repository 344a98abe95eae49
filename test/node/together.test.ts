import { expect, test } from 'vitest';
import { together } from '../../lib/node/together.ts';

test('JS-04 nothing of a function is under way when it has returned, though one of several things that it does at once fails', async () => {
  let done = false;
  const slow = new Promise<void>((resolve) => setTimeout(resolve, 20)).then(() => {
    done = true;
  });
  await expect(
    together([slow, Promise.reject(new Error('one fails')), Promise.reject(new Error('another'))]),
  ).rejects.toThrow('one fails');
  expect(done).toBe(true);
  expect(await together([Promise.resolve(1), Promise.resolve('two')])).toEqual([1, 'two']);
});
