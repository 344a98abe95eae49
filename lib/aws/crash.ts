/**
 * Fault injection for the end-to-end test: the process dies between the commit and the send, once for each role and message. The environment allows it only where
 * the endpoint is an emulator on loopback.
 */
import { type Key, type Store, storeWith } from '../ports.ts';

/** The row of `Directory` that says that the death was died. */
export function crashKey(message: string): Key {
  return { pk: 'CRASH', sk: message };
}

/** @param die must end the process; nothing is sent after it, even if it returns */
export function crashingAfterCommit(store: Store, message: string, die: () => void = killOwnProcess): Store {
  return storeWith(store, {
    transact: async (writes, token) => {
      const result = await store.transact(writes, token);
      if (!result.committed) return result;
      const first = await store.write({
        kind: 'put',
        table: 'Directory',
        item: { ...crashKey(message) },
        condition: { kind: 'absent' },
      });
      if (!first.committed) return result;
      die();
      return new Promise<never>(() => undefined);
    },
  });
}

function killOwnProcess(): void {
  process.kill(process.pid, 'SIGKILL');
}
