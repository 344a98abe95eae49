/** What is to be deployed: the operator's private file, the committee file once there is one, and where. */
import { isLoopback } from '../lib/aws/environment.ts';
import { assertAgreed } from '../lib/cli/deploy-files.ts';
import { UsageError } from '../lib/cli/usage.ts';
import type { Committee } from '../lib/messages/committee.ts';
import type { OperatorFile } from '../lib/messages/operator.ts';

/** `aws`: data outlives its stack. `local`: an emulator on loopback, and nothing is kept. */
export const STAGES = ['aws', 'local'] as const;
export type Stage = (typeof STAGES)[number];

const PROVIDED = 'provided';

/** Another operator, as the committee file names it. */
export interface Peer {
  readonly identity: string;
  /** 12 digits. */
  readonly account: string;
  readonly region: string;
}

/** One operator's deployment. */
export interface Settings {
  readonly operator: OperatorFile;
  /** Empty until there is a committee. */
  readonly peers: readonly Peer[];
  /** How many signers of each coin and asset may fall silent, n − t; empty until there is a committee. */
  readonly spare: ReadonlyMap<string, number>;
  readonly stage: Stage;
  /** An emulator's, as functions reach it; absent: AWS itself, or whatever runs them tells them. */
  readonly endpoint: string | undefined;
  /** Queues refuse plain HTTP. Off only where an emulator that enforces policies is spoken to without TLS. */
  readonly requireTls: boolean;
}

/** Where the tools find an emulator, and where the functions do. */
export interface Endpoints {
  readonly tools: string | undefined;
  /** A URL, or `provided`: an emulator with containers tells its functions its own address, which is not the tools'. Default: the tools'. */
  readonly functions?: string | undefined;
}

/** @throws {UsageError} */
export function settingsOf(
  operator: OperatorFile,
  committee: Committee | undefined,
  stage: Stage,
  { tools, functions = tools }: Endpoints,
  requireTls = true,
): Settings {
  if (stage === 'local' && (tools === undefined || !isLoopback(tools))) {
    throw new UsageError(
      `a local stage keeps nothing and is for an emulator only: expected AWS_ENDPOINT_URL on loopback (http://127.0.0.1:4566), got ${tools ?? 'nothing'}`,
    );
  }
  if (functions !== tools && stage !== 'local')
    throw new UsageError('functions have an endpoint of their own on a local stage only: expected -c stage=local');
  if (functions !== undefined && functions !== PROVIDED && !URL.canParse(functions))
    throw new UsageError(`-c functions-endpoint: expected a URL or ${PROVIDED}, got ${JSON.stringify(functions)}`);
  const endpoint = functions === PROVIDED ? undefined : functions;
  if (!requireTls && stage !== 'local')
    throw new UsageError('queues without TLS are for a local stage only: expected -c stage=local');
  if (!committee && operator.committeeHash !== undefined) {
    // Without the file the inboxes, and the right to send to the peers', would be taken down.
    throw new UsageError(
      'expected a committee file beside committeeHash in the operator file, got none: name the committee file, or remove the hash for a first deploy',
    );
  }
  const peers = committee ? peersOf(operator, committee) : [];
  return { operator, peers, spare: spareOf(operator, committee), stage, endpoint, requireTls };
}

function spareOf({ coins, assets }: OperatorFile, committee: Committee | undefined): ReadonlyMap<string, number> {
  return new Map(
    [...coins, ...assets].flatMap((coin) => {
      const t = committee?.keyOf(coin)?.t;
      return committee && t !== undefined ? [[coin, committee.signersOf(coin).length - t] as const] : [];
    }),
  );
}

function peersOf(operator: OperatorFile, committee: Committee): readonly Peer[] {
  assertAgreed(operator, committee);
  return committee.file.operators.filter((each) => each.identity !== operator.identity);
}
