/** An operator and a committee that stand in where no file is given, so that `synth` shows what would be deployed. Nobody holds these keys. */
import { createHash } from 'node:crypto';
import { ed25519, x25519 } from '@noble/curves/ed25519.js';
import { UsageError } from '../lib/cli/usage.ts';
import { inboxPattern } from '../lib/messages/card.ts';
import { Committee, type CommitteeFile } from '../lib/messages/committee.ts';
import { type Hex, toHex } from '../lib/messages/hex.ts';
import { type OperatorFile, parseOperatorFile } from '../lib/messages/operator.ts';

/** The coins of the example, in the order in which they are added. */
const EXAMPLE_COINS = [
  ['btc', 'FROST-secp256k1-SHA256-TR-v1'],
  ['sol', 'FROST-ED25519-SHA512-v1'],
  ['near', 'FROST-ED25519-SHA512-v1'],
] as const;

const REGION = 'eu-central-1';

/** The asset of the example, whose gateway has an account of its own. */
const EXAMPLE_ASSET = 'usd';
const EXAMPLE_GATEWAY = 'arn:aws:sqs:eu-central-1:999999999999:gateway-answers';

/** @param operators 2 to 100 @param coins 1 to 3 @param assets 0 or 1 @throws {UsageError} */
export function exampleCommittee(operators: number, coins: number, assets = 0): Committee {
  if (!Number.isInteger(operators) || operators < 2 || operators > 100) {
    throw new UsageError(`-c operators: expected a whole number from 2 to 100, got ${operators}`);
  }
  if (!Number.isInteger(coins) || coins < 1 || coins > EXAMPLE_COINS.length) {
    throw new UsageError(`-c coins: expected a whole number from 1 to ${EXAMPLE_COINS.length}, got ${coins}`);
  }
  const some = EXAMPLE_COINS.slice(0, coins);
  const held = [EXAMPLE_ASSET].slice(0, assets);
  const t = Math.floor(operators / 2) + 1;
  const file = {
    version: 1,
    network: 'example',
    operators: Array.from({ length: operators }, (_, i) =>
      exampleOperator(
        i + 1,
        some.map(([coin]) => coin),
        held,
      ),
    ),
    coins: Object.fromEntries(some.map(([coin, suite]) => [coin, { suite, t }])),
    assets: Object.fromEntries(held.map((asset) => [asset, exampleAsset(t)])),
    leaderPeriod: 15,
  } satisfies CommitteeFile;
  return new Committee(file);
}

/** The first operator of the example, or what another one's file would say. */
export function exampleOperatorFile(committee: Committee, index = 1): OperatorFile {
  const operator = committee.operator(index);
  if (!operator) throw new UsageError(`the example has no operator ${index}`);
  const parsed = parseOperatorFile({
    identity: operator.identity,
    account: operator.account,
    region: operator.region,
    clientRoles: [`arn:aws:iam::${operator.account}:role/wallet`],
    coins: Object.keys(operator.coins),
    assets: Object.keys(operator.assets),
    gateways: Object.keys(operator.assets).length > 0 ? [EXAMPLE_GATEWAY] : [],
    committeeHash: committee.id,
  });
  if (!parsed.ok) throw new UsageError(`the example does not parse: ${parsed.reason}`);
  return parsed.file;
}

function exampleAsset(t: number): CommitteeFile['assets'][string] {
  const depositor = toHex(ed25519.getPublicKey(seed('depositor', EXAMPLE_ASSET)));
  return { t, f: 0, depositors: { keys: [depositor], required: 1, capPerEpoch: '1000000' }, epoch: 0 };
}

function exampleOperator(
  index: number,
  coins: readonly string[],
  assets: readonly string[],
): CommitteeFile['operators'][number] {
  const identity = `operator${index}`;
  return {
    index,
    identity,
    account: `${index}`.repeat(12).slice(0, 12),
    region: REGION,
    inbox: inboxPattern(identity),
    coordinatorKey: toHex(x25519.getPublicKey(seed(identity, 'coordinator'))),
    coins: Object.fromEntries(coins.map((coin) => [coin, { signatureKey: exampleSignatureKey(identity, coin) }])),
    assets: Object.fromEntries(assets.map((asset) => [asset, { signatureKey: exampleSignatureKey(identity, asset) }])),
  };
}

function exampleSignatureKey(identity: string, coin: string): Hex {
  return toHex(ed25519.getPublicKey(seed(identity, coin)));
}

function seed(identity: string, use: string): Uint8Array {
  return createHash('sha256').update(`coterie example ${identity} ${use}`).digest();
}
