/** Ports that remember whether a service was short of capacity or out of reach while one batch was handled. */
import {
  type KeyWrapper,
  type MessageBus,
  type Ports,
  type Store,
  Throttled,
  Unavailable,
  UnknownOutcome,
} from '../ports.ts';

export interface Watched {
  readonly ports: Ports;
  /** True once a call was throttled, found no service, or left a message unsent: what failed in this batch will do better later. */
  strained(): boolean;
}

/** A core that handles one record after another swallows the errors of each, so they are seen here, at the ports. */
export function watchStrain(ports: Ports): Watched {
  let strained = false;
  const watch = async <Result>(call: Promise<Result>): Promise<Result> => {
    try {
      return await call;
    } catch (error) {
      if (error instanceof Throttled || error instanceof Unavailable || error instanceof UnknownOutcome)
        strained = true;
      throw error;
    }
  };
  const { bus, store, wrapper } = ports;
  const watchedBus: MessageBus = {
    send: async (messages) => {
      const refused = await watch(bus.send(messages));
      if (refused.length > 0) strained = true;
      return refused;
    },
  };
  const watchedStore: Store = {
    get: (...args) => watch(store.get(...args)),
    batchGet: (...args) => watch(store.batchGet(...args)),
    query: (...args) => watch(store.query(...args)),
    write: (...args) => watch(store.write(...args)),
    transact: (...args) => watch(store.transact(...args)),
    addToSet: (...args) => watch(store.addToSet(...args)),
    due: (...args) => watch(store.due(...args)),
    tableId: (...args) => watch(store.tableId(...args)),
  };
  const watchedWrapper: KeyWrapper = {
    generateDataKey: (...args) => watch(wrapper.generateDataKey(...args)),
    decrypt: (...args) => watch(wrapper.decrypt(...args)),
  };
  return {
    ports: { ...ports, bus: watchedBus, store: watchedStore, wrapper: watchedWrapper },
    strained: () => strained,
  };
}
