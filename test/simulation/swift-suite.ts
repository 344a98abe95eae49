/**
 * What bulk runs compute on the curves with in place of `lib/frost/suite.ts`: the product's own arithmetic for public values, from tables, and no product of points twice.
 *
 * All operators of a run are in one process, and compute the same of what they all know. The results are the same to the last bit; only the time is not constant,
 * and here no secret is one.
 */
import type { Affine, Projective, PublicCurve } from '../../lib/frost/public-msm.ts';
import { suiteOf as ownSuiteOf, type Suite, type SuiteName } from '../../lib/frost/suite.ts';
import { remembered } from './remembered.ts';

export {
  checkIndex,
  FrostInputError,
  identifierBytes,
  type RandomBytes,
  randomScalar,
  readOwnScalar,
  readScalar,
  SUITES,
  type Suite,
  type SuiteName,
} from '../../lib/frost/suite.ts';

const WINDOW = 8;
const WINDOWS = 32;
const suites = new Map<SuiteName, Suite>();

/** As `lib/frost/suite.ts`. */
export function suiteOf(name: SuiteName): Suite {
  const known = suites.get(name);
  if (known) return known;
  const own = ownSuiteOf(name);
  const curve = curveOf(own.curve);
  let table: (Affine | undefined)[] | undefined;
  const times = (scalar: bigint): Affine | undefined => {
    table ??= multiplesOf(curve, own.multiplyBase(1n));
    let sum = curve.identity;
    for (let window = 0, rest = scalar; rest > 0n; window++, rest >>= BigInt(WINDOW))
      sum = curve.addAffine(sum, table[(window << WINDOW) + Number(rest & 0xffn)]);
    return curve.normalize([sum])[0];
  };
  const suite: Suite = {
    ...own,
    curve,
    multiplyBase: (secret) => times(secret) ?? own.multiplyBase(secret),
    multiplyBasePublic: times,
  };
  suites.set(name, suite);
  return suite;
}

/** [d · 2⁸ʷ]B at 256 w + d. */
function multiplesOf(curve: PublicCurve, base: Affine): (Affine | undefined)[] {
  const multiples: Projective[] = [];
  let first = curve.lift(base);
  for (let window = 0; window < WINDOWS; window++) {
    let multiple = curve.identity;
    for (let digit = 0; digit < 1 << WINDOW; digit++) {
      multiples.push(multiple);
      multiple = curve.add(multiple, first);
    }
    first = multiple;
  }
  return curve.normalize(multiples);
}

function curveOf(own: PublicCurve): PublicCurve {
  return {
    ...own,
    isPrimeOrder: remembered(
      ({ X, Y, Z }) => `${X.toString(36)} ${Y.toString(36)} ${Z.toString(36)}`,
      (point) => own.isPrimeOrder(point),
    ),
    multiScalar: remembered(
      (points, scalars) =>
        [...points.flatMap(({ x, y }) => [x, y]), ...scalars].map((number) => number.toString(36)).join(' '),
      (points, scalars) => own.multiScalar(points, scalars),
    ),
  };
}
