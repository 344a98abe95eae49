/** A virtual environment in the checkout with one pinned package. */
import { existsSync, readdirSync, rmSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { EngineUnavailable, ROOT, run } from './engine.ts';

const OLDEST = [3, 10] as const;
const CANDIDATES = ['python3', 'python3.13', 'python3.12', 'python3.11', 'python3.10'];

/** Interpreters that a version manager keeps beside the one on the path. */
function managed(): string[] {
  const versions = join(homedir(), '.pyenv', 'versions');
  return existsSync(versions) ? readdirSync(versions).map((each) => join(versions, each, 'bin', 'python3')) : [];
}

/** The first interpreter that is new enough. @throws {EngineUnavailable} if there is none */
async function python([major, minor]: readonly [number, number]): Promise<string> {
  const program = `import sys, venv, ensurepip; sys.exit(0 if sys.version_info >= (${major}, ${minor}) else 1)`;
  for (const candidate of [...CANDIDATES, ...managed()]) {
    try {
      await run(candidate, ['-c', program]);
      return candidate;
    } catch {}
  }
  throw new EngineUnavailable(
    `needs Python ${major}.${minor} or later with venv and pip (on Debian: apt-get install python3-venv)`,
  );
}

export interface PythonPackage {
  /** As pip takes it, without the version. */
  readonly requirement: string;
  /** As pip shows it. */
  readonly name: string;
  readonly version: string;
  /** The oldest interpreter that it runs on; 3.10 if absent. */
  readonly python?: readonly [number, number];
  /** Further requirements, with their versions. */
  readonly pins?: readonly string[];
  /** Of the virtual environment, `.venv-…`. */
  readonly folder: string;
}

/** Made once; made anew if another version lies there. @returns the folder of its programs */
export async function pythonPackage(
  { requirement, name, version, folder, python: oldest = OLDEST, pins = [] }: PythonPackage,
  note: (line: string) => void,
): Promise<string> {
  const venv = join(ROOT, folder);
  const programs = join(venv, 'bin');
  if (existsSync(join(programs, 'python')) && (await installed(programs, name)) === version) return programs;
  rmSync(venv, { recursive: true, force: true });
  note(`installing ${name} ${version} into ${folder}`);
  await run(await python(oldest), ['-m', 'venv', venv]);
  await run(join(programs, 'python'), [
    '-m',
    'pip',
    'install',
    '--quiet',
    '--disable-pip-version-check',
    `${requirement}==${version}`,
    ...pins,
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
