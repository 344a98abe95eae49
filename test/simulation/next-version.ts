/**
 * The functions of "the next version", over the same tables and queues: as in the minutes of a deployment, when old and new instances run side by side.
 *
 * It is the same source bundled anew, so that its module state, its caches and its error classes are its own, and it writes one attribute more into every row
 * that it puts: what a later version will do, and what this one must not stumble over.
 */

import type { NodeFunction } from '../../lib/node/function.ts';
import type { Item, Ports, Write } from '../../lib/ports.ts';
import { bundled } from './swift.ts';

/** Of the rows of the next version. */
export const NEXT_ATTRIBUTE = 'sinceNextVersion';

type Errors = Readonly<Record<string, new (message: string) => Error>>;

export interface NextVersion {
  /** The same function of the next version. */
  readonly of: (handler: NodeFunction) => NodeFunction;
  /** The ports as the next version uses them. */
  readonly ports: (ports: Ports) => Ports;
}

let loaded: Promise<NextVersion> | undefined;

/** Bundled once for each process. */
export function nextVersion(): Promise<NextVersion> {
  loaded ??= load();
  return loaded;
}

/** Set in a bundle: the next version is bundled with the same engines. */
declare const BUNDLED_SWIFT: boolean | undefined;

async function load(): Promise<NextVersion> {
  const entry = "export * from './lib/local/functions.ts'; export * as ports from './lib/ports.ts';";
  const module = (await bundled(entry, typeof BUNDLED_SWIFT !== 'undefined' && BUNDLED_SWIFT === true)) as {
    readonly COORDINATOR_FUNCTIONS: readonly NodeFunction[];
    readonly PROCESSOR_FUNCTIONS: readonly NodeFunction[];
    readonly ports: Errors;
  };
  const functions = new Map(
    [...module.COORDINATOR_FUNCTIONS, ...module.PROCESSOR_FUNCTIONS].map((each) => [
      `${each.role} ${each.message}`,
      each,
    ]),
  );
  return {
    of: (handler) => functions.get(`${handler.role} ${handler.message}`) ?? handler,
    ports: (ports) => portsOf(ports, module.ports),
  };
}

/** Errors of this version's classes become the next version's, as each version's own adapters would throw them. */
function portsOf(ports: Ports, errors: Errors): Ports {
  const translated = async <T>(call: Promise<T>): Promise<T> => {
    try {
      return await call;
    } catch (error) {
      const kind = error instanceof Error && 'kind' in error ? String(error.kind) : '';
      const Class = errors[kind];
      throw Class && error instanceof Error ? new Class(error.message) : error;
    }
  };
  const { store, bus, wrapper } = ports;
  return {
    ...ports,
    bus: { send: (messages) => translated(bus.send(messages)) },
    wrapper: {
      generateDataKey: (...args) => translated(wrapper.generateDataKey(...args)),
      decrypt: (...args) => translated(wrapper.decrypt(...args)),
    },
    store: {
      get: (...args) => translated(store.get(...args)),
      batchGet: (...args) => translated(store.batchGet(...args)),
      query: (...args) => translated(store.query(...args)),
      addToSet: (...args) => translated(store.addToSet(...args)),
      due: (...args) => translated(store.due(...args)),
      tableId: (...args) => translated(store.tableId(...args)),
      write: (write) => translated(store.write(marked(write))),
      transact: (writes, token) => translated(store.transact(writes.map(marked), token)),
    },
  };
}

function marked(write: Write): Write {
  if (write.kind !== 'put') return write;
  const item: Item = { ...write.item, [NEXT_ATTRIBUTE]: 1 };
  return { ...write, item };
}
