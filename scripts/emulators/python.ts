/** A virtual environment in the checkout with one pinned package. */
import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { EngineUnavailable, ROOT, run } from './engine.ts';

const CANDIDATES = ['python3', 'python3.13', 'python3.12', 'python3.11', 'python3.10'];

/** The first interpreter of at least 3.10. @throws {EngineUnavailable} if there is none */
async function python(): Promise<string> {
  for (const candidate of CANDIDATES) {
    try {
      await run(candidate, ['-c', 'import sys, venv, ensurepip; sys.exit(0 if sys.version_info >= (3, 10) else 1)']);
      return candidate;
    } catch {}
  }
  throw new EngineUnavailable('needs Python 3.10 or later with venv and pip (on Debian: apt-get install python3-venv)');
}

export interface PythonPackage {
  /** As pip takes it, without the version. */
  readonly requirement: string;
  /** As pip shows it. */
  readonly name: string;
  readonly version: string;
  /** Of the virtual environment, `.venv-…`. */
  readonly folder: string;
}

/** Made once; made anew if another version lies there. @returns the folder of its programs */
export async function pythonPackage(
  { requirement, name, version, folder }: PythonPackage,
  note: (line: string) => void,
): Promise<string> {
  const venv = join(ROOT, folder);
  const programs = join(venv, 'bin');
  if (existsSync(join(programs, 'python')) && (await installed(programs, name)) === version) return programs;
  rmSync(venv, { recursive: true, force: true });
  note(`installing ${name} ${version} into ${folder}`);
  await run(await python(), ['-m', 'venv', venv]);
  await run(join(programs, 'python'), [
    '-m',
    'pip',
    'install',
    '--quiet',
    '--disable-pip-version-check',
    `${requirement}==${version}`,
  ]);
  return programs;
}

async function installed(programs: string, name: string): Promise<string | undefined> {
  try {
    const program = `import importlib.metadata as m; print(m.version('${name}'))`;
    return (await run(join(programs, 'python'), ['-c', program])).trim();
  } catch {
    return undefined;
  }
}
