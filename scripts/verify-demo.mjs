// Verifies the JSON report of a demonstration with nothing of this repository: libsecp256k1 and OpenSSL for signatures, bech32m and base58 for addresses.
// Usage: node scripts/verify-demo.mjs <file> [--deployed]   A deployed committee's counts begin when it is assembled, so the first messages are not in them.
//        node scripts/verify-demo.mjs <file>               of `demo tokens --json --reveal`: every credential is checked against the key, with mcl and nothing else.
import { createPublicKey, verify } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { base58, bech32m } from '@scure/base';
import * as tinysecp from 'tiny-secp256k1';

const report = JSON.parse(readFileSync(process.argv[2], 'utf8'));
if (report.supply) process.exit(await tokens(report));
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

/** e(h, alpha + Σ m_j·beta_j) = e(s, g2), h and s not the identity, for each credential; serials distinct; amounts and supply adding up. */
async function tokens({ verificationKey, credentials, wallets, supply, transactions, refusals, named }) {
  const { default: mcl } = await import('mcl-wasm');
  await mcl.init(mcl.BLS12_381);
  mcl.setETHserialization(true);
  mcl.verifyOrderG1(true);
  mcl.verifyOrderG2(true);
  // The generator of G2 as draft-irtf-cfrg-pairing-friendly-curves §4.2.1 has it, compressed.
  const generator =
    '93e02b6052719f607dacd3a088274f65596bd0d09920b61ab5da61bbdc7f5049334cf11213945d57e5ac7d055d042b7e' +
    '024aa2b2f08f0a91260805272dc51051c6e47ad4fa403b02b4510b647ae3d1770bac0326a805bbefd48056c8c121bdb8';
  const read = (Point, text) => {
    const point = new Point();
    point.deserializeHexStr(text.replace(/^0x/, ''));
    return point;
  };
  const scalar = (text) => {
    const value = new mcl.Fr();
    value.setStr(BigInt(text).toString());
    return value;
  };
  const problems = [];
  const check = (holds, what) => holds || problems.push(what);
  const g2 = read(mcl.G2, generator);
  const alpha = read(mcl.G2, verificationKey.alpha);
  const beta = verificationKey.beta.map((text) => read(mcl.G2, text));
  check(!alpha.isZero() && beta.every((point) => !point.isZero()), 'the key has an identity');
  check(credentials !== undefined, 'there are no credentials (--reveal puts them in)');
  let value = 0n;
  for (const { h, s, attributes } of credentials ?? []) {
    const [base, signature] = [read(mcl.G1, h), read(mcl.G1, s)];
    check(!base.isZero() && !signature.isZero(), 'a credential has an identity');
    check(attributes.length === beta.length, 'a credential has another number of attributes');
    const signed = attributes.reduce((sum, m, j) => mcl.add(sum, mcl.mul(beta[j], scalar(m))), alpha);
    check(mcl.pairing(base, signed).isEqual(mcl.pairing(signature, g2)), 'a credential is not signed by the key');
    value += BigInt(attributes[1]);
  }
  check(
    new Set((credentials ?? []).map(({ attributes }) => attributes[0])).size === credentials?.length,
    'a serial twice',
  );
  const [issued, redeemed, outstanding] = [supply.issued, supply.redeemed, supply.outstanding].map(BigInt);
  check(issued - redeemed === outstanding, 'issued − redeemed is not outstanding');
  check(value === outstanding, 'the credentials are not worth what is outstanding');
  check(
    wallets.reduce((sum, { balance }) => sum + BigInt(balance), 0n) === outstanding,
    'the wallets have another sum',
  );
  check(transactions.length > 0 && refusals.some(({ reason }) => reason === 'Spent'), 'nothing was refused as spent');
  check(named.lying.length > 0 && named.silent.length > 0, 'nobody was named');
  for (const problem of problems) console.error(problem);
  if (problems.length === 0)
    console.log(`${credentials.length} credentials verified independently; ${outstanding} of ${issued} outstanding`);
  return problems.length === 0 ? 0 : 1;
}
