/**
 * Work that a batch waits for and that is no port call: WebCrypto runs in Node's thread pool, and which of two jobs is done first
 * differs from run to run.
 */
import { createHook } from 'node:async_hooks';

interface Job {
  readonly ondone?: unknown;
}

export class BackgroundWork {
  /** Whether a job began since {@link settled}: from there on, the order of what follows is anyone's guess. */
  begun = false;
  readonly #jobs = new Map<number, Job>();
  readonly #hook = createHook({
    init: (id, type, _trigger, resource) => {
      if (!type.endsWith('REQUEST')) return;
      this.begun = true;
      this.#jobs.set(id, resource as Job);
    },
    after: (id) => {
      if (this.#jobs.size > 0) this.#jobs.delete(id);
    },
  });

  watch(): void {
    this.#hook.enable();
  }

  unwatch(): void {
    this.#hook.disable();
    this.#jobs.clear();
    this.begun = false;
  }

  /** Resolves when every job is done and all that was waiting for one has gone as far as it can. @returns whether there were jobs */
  async settled(): Promise<boolean> {
    do {
      await new Promise((resolve) => setImmediate(resolve));
      // A synchronous job is announced as well, and is over by now without ever saying so: it has nobody to tell.
      for (const [id, { ondone }] of this.#jobs) if (typeof ondone !== 'function') this.#jobs.delete(id);
    } while (this.#jobs.size > 0);
    const { begun } = this;
    this.begun = false;
    return begun;
  }
}
