/** The one point that every port call goes through: where runs are recorded, interleaved, crashed and throttled. */
import type { KeyWrapper, MessageBus, Store } from '../ports.ts';

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
