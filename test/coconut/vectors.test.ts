import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { Coconut } from '../../lib/coconut/coconut.ts';
import { decodeScalar } from '../../lib/coconut/groups.ts';
import { badPartials, decodeCredential, verifyCredential } from '../../lib/coconut/issue.ts';
import { decodePublicKey, keyEquations, keyIdOf } from '../../lib/coconut/keys.ts';
import { mclVerifier } from '../../lib/coconut/mcl-engine.ts';
import { decodeRequest, verifyRequest } from '../../lib/coconut/request.ts';
import { decodeShow, verifyShow } from '../../lib/coconut/show.ts';
import { fromHex, type Hex } from '../../lib/messages/hex.ts';
import { FILE, vectors } from '../vectors/generate-coconut.ts';
import { statementOf, stream } from './fixtures.ts';
import { tryToLink } from './linkability.ts';

const frozen = JSON.parse(readFileSync(FILE, 'utf8')) as ReturnType<typeof vectors>;
const bytes = (text: string) => fromHex(text as Hex);
const fast = await mclVerifier();
const random = stream('vectors test');

describe('the frozen vectors', () => {
  test('are what is computed today', () => {
    expect(JSON.parse(JSON.stringify(vectors()))).toEqual(frozen);
  });
  const { threshold, services, verificationKey, id } = frozen.key;
  const key = { id: bytes(id), ...decodePublicKey(bytes(verificationKey), 2) };
  const serviceKeys = services.map((each, i) => ({ index: i + 1, ...decodePublicKey(bytes(each.key), 2) }));
  const parameters = Coconut.create({ attributes: 2, threshold, total: 3 });

  test('have a key that is well-formed, and has its id', () => {
    expect(keyEquations(fast, parameters, key, serviceKeys).check(fast, random)).toBe(true);
    expect(keyIdOf(parameters, key, serviceKeys)).toEqual(key.id);
  });
  test.each(frozen.issued)('verify from their bytes alone: $disclosed', (issued) => {
    const disclosed = new Map(issued.disclosed.map(({ index, value }) => [index, decodeScalar(bytes(value))]));
    const options = { disclosed, context: bytes(issued.context) };
    const hidden = 2 - disclosed.size;
    const request = decodeRequest(bytes(issued.request), hidden);
    expect(verifyRequest(fast, key.id, 2, request, options)).toBe(true);
    const partials = issued.partialSignatures.map(({ index, signature }) => ({ index, signature: bytes(signature) }));
    expect(badPartials(fast, statementOf(key.id, 2, request, options), serviceKeys, partials, random)).toEqual([]);
    expect(verifyCredential(key, decodeCredential(bytes(issued.credential), 2), random)).toBe(true);
    expect(verifyShow(fast, key, decodeShow(bytes(issued.show), hidden, !disclosed.has(0)), options, random)).toBe(
      true,
    );
  });
});

describe('ECASH-12', () => {
  test('whoever issued cannot link, where a wallet that does not randomise is linked every time', () => {
    const count = 12;
    const { linked, sharedWindows } = tryToLink(count, stream('linkability'));
    expect(sharedWindows).toBe(0);
    for (const { honest } of linked) expect(honest).toBeLessThan(7);
    for (const { distinguisher, careless } of linked) expect([distinguisher, careless]).toEqual([distinguisher, count]);
  });
});
