/** The one point that every port call goes through: where runs are recorded, interleaved, crashed and throttled. */
import type { Key, KeyWrapper, MessageBus, Store, Table, Write } from '../ports.ts';

/** One call of a port, as it is about to be done (`before`) or has been done (`after`). Arguments are the caller's own: read them, never change them. */
export type PortCall = { readonly namespace: string; readonly when: 'before' | 'after' } & PortOperation;

type Calls<Port extends string, Interface> = {
  [Operation in keyof Interface & string]: {
    readonly port: Port;
    readonly operation: Operation;
    readonly args: Interface[Operation] extends (...args: infer Arguments) => unknown ? Readonly<Arguments> : never;
  };
}[keyof Interface & string];

export type PortOperation = Calls<'bus', MessageBus> | Calls<'store', Store> | Calls<'wrapper', KeyWrapper>;

/** What a call is about: names of queues, keys and contexts. For traces, and for an order of calls that does not depend on which was ready first. */
export function subjectOf(operation: PortOperation): string {
  switch (operation.operation) {
    case 'send':
      return operation.args[0]
        .map(({ queue, body, delaySeconds = 0 }) => `${queue} ${delaySeconds} ${body}`)
        .join('\n');
    case 'get':
    case 'addToSet':
      return keyText(operation.args[0], operation.args[1]);
    case 'batchGet':
      return operation.args[1].map((key) => keyText(operation.args[0], key)).join('\n');
    case 'query': {
      const [table, pk, prefix, page] = operation.args;
      return [table, pk, prefix, ...(page ? [page.after, page.limit] : [])].join(' ');
    }
    case 'due':
    case 'tableId':
      return operation.args.join(' ');
    case 'write':
      return writeText(operation.args[0]);
    case 'transact':
      return `${operation.args[0].map(writeText).join('\n')}\n${operation.args[1]}`;
    case 'generateDataKey':
      return JSON.stringify(operation.args);
    case 'decrypt':
      return JSON.stringify([operation.args[0], operation.args[2]]);
  }
}

function keyText(table: Table, { pk, sk }: Key): string {
  return `${table} ${pk} ${sk}`;
}

function writeText(write: Write): string {
  return `${write.kind} ${keyText(write.table, write.kind === 'put' ? write.item : write.key)}`;
}

/** Thrown by a hook: the function instance ends here. No `catch` or `finally` of it runs, as when Lambda's sandbox dies. */
export class Crash extends Error {
  readonly kind = 'Crash';
}

/** May throw a port error, which the caller gets, or a {@link Crash}. An error thrown `after` leaves what was done in place. */
export type Hook = (call: PortCall) => Promise<void> | void;

export interface Gate {
  /** @param action does the call at once; it never awaits, so that no other call can come between */
  pass<T>(namespace: string, operation: PortOperation, action: () => T): Promise<T>;
}
