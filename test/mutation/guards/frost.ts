// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the text of the code that is taken away
/** Guards of the arithmetic: what is a point, a scalar, a proof, a share and a signature. */
import { type Guard, guardsOf } from '../guard.ts';

const DKG = 'test/frost/dkg.test.ts';
const GUARDS = 'test/frost/guards.test.ts';
const SIGNING = 'test/frost/signing.test.ts';
const ENCODINGS = 'test/frost/encodings.test.ts';
const TORSION = 'test/frost/torsion.test.ts';
const RFC = 'test/frost/rfc9591.test.ts';
const INTEROPERATION = 'test/frost/interoperation.test.ts';

const dkg = guardsOf('lib/frost/dkg.ts', DKG, TORSION, GUARDS);
const signing = guardsOf('lib/frost/signing.ts', SIGNING, TORSION, GUARDS);
const points = guardsOf('lib/frost/points.ts', ENCODINGS, DKG);
const suite = guardsOf('lib/frost/suite.ts', ENCODINGS, DKG, SIGNING);

export const FROST_GUARDS: readonly Guard[] = [
  dkg('threshold', '1 ≤ t ≤ n ≤ 65535', 't < 1 || t > n || n > 65_535', 'false'),
  dkg(
    'challenge-index',
    'a proof is its sender’s (DKG-06)',
    'concatBytes(identifierBytes(suite, index), verificationKey, R)',
    'concatBytes(verificationKey, R)',
    { tests: [DKG, INTEROPERATION] },
  ),
  dkg(
    'coefficients',
    'a polynomial has whole coefficients',
    'if (coefficients.length === 0 || coefficients.length % 32 !== 0) {',
    'if (false) {',
  ),
  dkg(
    'count',
    'exactly t commitments (DKG-01)',
    'if (commitments.length !== t) return { ok: false, reason: `expected ${t} commitments, got ${commitments.length}` };',
  ),
  dkg(
    'points',
    'every commitment is a point other than the identity (DKG-02)',
    'if (readAffine(suite, commitment) === undefined) {',
    'if (false) {',
  ),
  dkg('proof-decodes', 'a proof decodes', 'if (readProof(suite, proofOfKnowledge) === undefined) {', 'if (false) {', {
    tests: [DKG, TORSION],
  }),
  dkg(
    'proof',
    'a dealer knows its constant term (DKG-05)',
    "if (!proofHolds(suite, dealing)) return { ok: false, reason: 'the proof of knowledge is wrong' };",
  ),
  dkg(
    'proof-cofactor',
    'batch and single proof judge alike',
    'const difference = curve.add(expected, curve.negate(curve.lift(proof.R)));\n  return curve.isIdentity(curve.clearCofactor(difference));',
    'const difference = curve.add(expected, curve.negate(curve.lift(proof.R)));\n  return curve.isIdentity(difference);',
    { tests: [TORSION, DKG] },
  ),
  dkg('weight-zero', 'no weight is 0', 'return weight === 0n ? 1n : weight;', 'return weight;'),
  dkg('weights', 'errors of a batch do not cancel', 'const weight = weights[j] as bigint;', 'const weight = 1n;'),
  dkg(
    'batch-names',
    'a batch that fails is judged one by one',
    'if (dealings.length > 1 && proofsHoldTogether(suite, dealings, random)) return [];',
    'if (dealings.length > 1) return [];',
  ),
  dkg(
    'batch-challenge',
    'a batch holds each proof to its own challenge',
    'scalars.push(weight, Fn.mul(c, weight));',
    'scalars.push(weight, weight);',
  ),
  dkg(
    'batch-decodes',
    'a batch with a proof that does not decode fails',
    'if (proof === undefined || key === undefined) return false;\n    parsed.push',
    'if (proof === undefined || key === undefined) continue;\n    parsed.push',
  ),
  dkg(
    'rows',
    'column sums are of rows of t',
    "if (row.length !== t) throw new FrostInputError('commitments', `${t} for each dealer`, String(row.length));",
  ),
  dkg('column-length', 'a column has its length', 'if (column.length !== suite.affineBytes) {', 'if (false) {'),
  dkg(
    'share-zero',
    'a share of 0 is refused (DKG-03)',
    'return value !== undefined && value !== 0n;',
    'return value !== undefined;',
  ),
  dkg('share-encoding', 'a share is canonical (DKG-10)', 'if (!checkShareEncoding(suite, share)) return false;', '', {
    redundant: 'a share that is no scalar or 0 lies on no polynomial: the arithmetic that follows throws or fails',
  }),
  dkg(
    'share-commitments',
    'a share is judged by points',
    'if (point === undefined) return false;\n    points.push(point);',
    'if (point !== undefined) points.push(point);',
  ),
  dkg(
    'share-on-polynomial',
    'a share lies on its dealer’s polynomial',
    'return liesOn(suite, index, points, readScalar(suite, share) as bigint);',
    'return true;',
  ),
  dkg(
    'total-encoding',
    'a total is of canonical shares',
    'if (!checkShareEncoding(suite, share)) return undefined;',
    '',
    { tests: [DKG] },
  ),
  dkg(
    'total',
    'the own total lies on the columns',
    'if (sum === 0n || !liesOn(suite, index, readColumns(suite, columns), sum)) return undefined;',
    '',
  ),
  dkg(
    'small-order',
    'small-order parts are looked for at four indices',
    'for (let i = 0; i < Math.min(4, columns.length); i++) {',
    'for (let i = 0; i < Math.min(1, columns.length); i++) {',
    { tests: [TORSION] },
  ),
  dkg('small-order-four', '… and three are not enough', 'Math.min(4, columns.length)', 'Math.min(3, columns.length)', {
    tests: [TORSION],
  }),
  dkg(
    'group-columns',
    'a key is of t columns',
    "if (columns.length !== t) throw new FrostInputError('columns', String(t), String(columns.length));",
  ),
  dkg(
    'group-distinct',
    'of distinct participants (DKG-04)',
    "if (new Set(indices).size !== indices.length) throw new FrostInputError('indices', 'distinct', 'a repetition');",
  ),
  dkg(
    'group-identity',
    'no column of a key is the identity',
    'if (column === undefined) return { ok: false, reason: `the sum of the commitments ${k} is the identity` };',
    'if (column === undefined) continue;',
  ),
  dkg('group-torsion', 'a key has no small-order part (ENC-02)', '  if (at !== undefined) {\n', '  if (false) {\n', {
    tests: [TORSION],
  }),
  dkg(
    'verification-key',
    'internal and output key belong together',
    'return Buffer.compare(shown, outputKey) === 0 ? { point, encoded } : undefined;',
    'return { point, encoded };',
    { tests: [DKG, SIGNING] },
  ),
  dkg(
    'odd-key',
    'a share of a key with odd y is negated',
    'return Fn.toBytes(Fn.add(internal.y & 1n ? Fn.neg(share) : share, tweak));',
    'return Fn.toBytes(Fn.add(share, tweak));',
    { tests: [DKG, INTEROPERATION, RFC] },
  ),

  signing(
    'commitment-order',
    'a nonce commitment is of prime order',
    'return point !== undefined && suite.curve.isPrimeOrder(suite.curve.lift(point));',
    'return point !== undefined;',
    { tests: [TORSION, SIGNING] },
  ),
  signing(
    'commitment-point',
    'a nonce commitment is a point',
    'if (D === undefined || E === undefined) {',
    'if (false) {',
  ),
  signing('keys', 'the two keys belong together', 'if (verification === undefined) {', 'if (false) {'),
  signing(
    'binding-message',
    'a binding factor depends on the message',
    'concatBytes(encodedKey, suite.H4(message), suite.H5(encodedList))',
    'concatBytes(encodedKey, suite.H5(encodedList))',
    { tests: [RFC, INTEROPERATION] },
  ),
  signing(
    'binding-list',
    '… on the whole list (ROS)',
    'concatBytes(encodedKey, suite.H4(message), suite.H5(encodedList))',
    'concatBytes(encodedKey, suite.H4(message))',
    { tests: [RFC, INTEROPERATION] },
  ),
  signing(
    'binding-signer',
    '… and on the signer',
    'suite.H1(concatBytes(prefix, identifierBytes(suite, index)))',
    'suite.H1(prefix)',
    { tests: [RFC, INTEROPERATION] },
  ),
  signing(
    'group-identity',
    'commitments that cancel give no signature (NON-11)',
    'if (groupCommitment === undefined) {',
    'if (false) {',
  ),
  signing(
    'signers-none',
    'nobody signs nothing (ENC-07)',
    "if (signers.length === 0) throw new FrostInputError('signers', 'at least one', 'none');",
    '',
    { redundant: 'the sum of no commitments is the identity, which is refused' },
  ),
  signing('signers-order', 'signers are distinct and ascending', 'if (index <= previous)\n', 'if (false)\n'),
  signing(
    'nonce-zero',
    'a wiped nonce signs nothing',
    "if (d === 0n || e === 0n) throw new FrostInputError('nonces', 'two scalars other than 0', '0');",
  ),
  signing(
    'own-in-list',
    'a signer is in the list',
    "if (own < 0) throw new FrostInputError('signers', `participant ${index} among them`, 'a list without it');",
  ),
  signing(
    'own-hiding',
    'with its own hiding commitment, unchanged (NON-09)',
    'Buffer.compare(expected[0] as Uint8Array, hiding) !== 0 ||',
    '',
  ),
  signing(
    'own-binding',
    'and its own binding commitment',
    '||\n    Buffer.compare(expected[1] as Uint8Array, binding) !== 0',
    '',
  ),
  signing(
    'group-order',
    'no share is made for a commitment with a small-order part',
    'if (!curve.isPrimeOrder(curve.lift(context.groupCommitment))) {',
    'if (false) {',
    { tests: [TORSION, SIGNING] },
  ),
  signing(
    'share-canonical',
    'a share that is no canonical scalar is wrong',
    'if (z === undefined) return false;\n  const right',
    "if (z === undefined) throw new Error('z');\n  const right",
  ),
  signing(
    'share-equation',
    'a share fits its equation',
    'return curve.isIdentity(curve.addAffine(curve.negate(right), suite.multiplyBasePublic(z)));',
    'return true;',
  ),
  signing(
    'threshold',
    'fewer than t aggregate nothing',
    "if (signers.length < t) throw new FrostInputError('signers', `at least ${t}`, String(signers.length));",
  ),
  signing(
    'share-there',
    'a share of each',
    "if (share === undefined) throw new FrostInputError('shares', `one of participant ${index}`, 'none');",
  ),
  signing(
    'aggregate-verified',
    'an aggregate is verified before it is one',
    'if (verifySignature(suite, key.outputKey, message, signature)) return { ok: true, signature };',
    'return { ok: true, signature };',
  ),
  signing(
    'halving-weights',
    'wrong shares do not cancel in a half',
    'const w = weights.get(index) as bigint;',
    'const w = 1n;',
  ),
  signing(
    'halving-ed25519',
    'with a cofactor every share is judged alone',
    'if (curve.cofactor !== 1) return bad(equations);',
    '',
    { tests: [TORSION, SIGNING] },
  ),
  signing(
    'signature-length',
    'a signature has 64 bytes',
    'if (signature.length !== 64 || outputKey.length !== 32) return false;',
    '',
  ),
  signing(
    'signature-s',
    'S is canonical',
    'if (readScalar(suite, signature.subarray(32)) === undefined) return false;',
    '',
    { redundant: 'OpenSSL refuses S ≥ L too' },
  ),
  signing(
    'signature-y',
    'R and the key are canonical',
    'if (![signature.subarray(0, 32), outputKey].every(hasCanonicalY)) return false;',
  ),

  points(
    'affine-length',
    'an affine point has its length',
    'if (bytes.length !== suite.affineBytes) return undefined;',
    'if (bytes.length < 64) return undefined;',
  ),
  points('affine-prefix', 'and its prefix', 'if (start === 1 && bytes[0] !== 4) return undefined;'),
  points('affine-canonical', 'coordinates are below p (ENC-03)', 'if (x >= curve.p || y >= curve.p) return undefined;'),
  points('on-curve', 'a point is on the curve', 'if (!curve.isOnCurve(x, y)) return undefined;'),
  points('affine-identity', 'and not the identity', 'if (!suite.taproot && x === 0n && y === 1n) return undefined;'),
  points(
    'compressed-length',
    'a compressed point has its length',
    'if (bytes.length !== suite.pointBytes) return undefined;',
  ),
  points('compressed-canonical', 'y is below p', 'if (y >= suite.curve.p) return undefined;'),
  points(
    'compressed-identity',
    'and the point is not the identity',
    'if (x === undefined || (x === 0n && y === 1n)) return undefined;',
    'if (x === undefined) return undefined;',
  ),

  suite(
    'scalar-length',
    'a scalar has 32 bytes',
    'if (bytes.length !== suite.scalarBytes) return undefined;',
    'if (bytes.length < suite.scalarBytes) return undefined;',
  ),
  suite(
    'scalar-canonical',
    'a scalar is below the order',
    'return value < suite.Fn.ORDER ? value : undefined;',
    'return value;',
  ),
  suite(
    'own-scalar',
    'an own secret is canonical',
    "if (value === undefined) throw new FrostInputError(what, 'a canonical scalar of 32 bytes', 'another encoding');\n  return value;",
    'return value ?? 1n;',
  ),
  suite(
    'index',
    'an index is 1 to 65,535 (DKG-03)',
    'if (!Number.isInteger(index) || index < 1 || index > 65_535) {',
    'if (false) {',
  ),
];
