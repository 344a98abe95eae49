/** An embedded committee behind its door, in this process; and the command line, in this process too. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { vi } from 'vitest';
import type { Address } from '../../lib/cli/endpoint/address.ts';
import { EndpointServer } from '../../lib/cli/endpoint/server.ts';
import { main } from '../../lib/cli/main.ts';
import { type CommitteeOptions, LocalCommittee } from '../../lib/local/committee.ts';

export interface Embedded {
  readonly committee: LocalCommittee;
  readonly folder: string;
  /** What `--at` takes. */
  readonly at: string;
  /** Runs a command against it. */
  coterie(...args: string[]): Promise<Run>;
  close(): Promise<void>;
}

export interface Run {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

export async function embedded(options: Partial<CommitteeOptions> = {}): Promise<Embedded> {
  const folder = mkdtempSync(join(tmpdir(), 'coterie-door-'));
  const committee = new LocalCommittee({
    operators: 3,
    threshold: 2,
    coins: ['sol'],
    genesis: false,
    cloud: { seed: new Uint8Array(32).fill(11), clock: 'real' },
    ...options,
  });
  const ready = new Set<string>();
  const met = new Promise<void>((resolve) => {
    committee.onOutcome((event, operator, coin) => {
      if ('ReadyToKeygen' in event) ready.add(`${operator}/${coin}`);
      if (ready.size === committee.options.operators * committee.options.coins.length) resolve();
    });
  });
  const server = new EndpointServer(committee);
  committee.cloud.start();
  await committee.assemble();
  await met;
  const path = join(folder, 'c.sock');
  const address: Address = { kind: 'socket', path };
  await server.listen(address);
  return {
    committee,
    folder,
    at: path,
    coterie: (...args) => coterie([...args, '--at', path]),
    close: async () => {
      await server.close();
      await committee.cloud.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** One at a time: stdout and stderr are the process's own. */
export async function coterie(args: readonly string[]): Promise<Run> {
  const out: string[] = [];
  const err: string[] = [];
  const stdout = vi.spyOn(process.stdout, 'write').mockImplementation((text) => out.push(String(text)) > 0);
  const stderr = vi.spyOn(process.stderr, 'write').mockImplementation((text) => err.push(String(text)) > 0);
  try {
    const status = await main(args, '0.0.0');
    return { status, stdout: out.join(''), stderr: err.join('') };
  } finally {
    stdout.mockRestore();
    stderr.mockRestore();
  }
}
