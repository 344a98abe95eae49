/**
 * All of them, however some end, and then the first failure. `Promise.all` returns at the first failure: what the others still have under way would freeze with
 * the function that returns, and thaw in another batch.
 */
export async function together<T extends readonly unknown[]>(
  all: {
    readonly [K in keyof T]: Promise<T[K]>;
  },
): Promise<T> {
  const ends = await Promise.allSettled(all as readonly Promise<unknown>[]);
  const failure = ends.find((end) => end.status === 'rejected');
  if (failure) throw failure.reason;
  // Each has its value: none was rejected.
  return ends.map((end) => (end as PromiseFulfilledResult<unknown>).value) as unknown as T;
}
