import { beforeAll, describe, expect, it } from 'vitest';
import {
  type Address,
  type Agreed,
  agreedKey,
  agreedSignatures,
  type KeygenOutcome,
  type SaidOfKey,
  type SaidOfSigning,
  type SigningOutcome,
  whyInvalid,
} from '../../lib/cli/agreement.ts';
import { type Coin, LocalCommittee } from '../../lib/local/committee.ts';
import type { Committee } from '../../lib/messages/committee.ts';
import type { Hex } from '../../lib/messages/hex.ts';

const MESSAGE = new TextEncoder().encode('agreed');

/** What two operators really said about a key and a signature for each coin. */
const said: Record<Coin, { keys: SaidOfKey[]; signings: SaidOfSigning[] }> = {
  btc: { keys: [], signings: [] },
  sol: { keys: [], signings: [] },
};
let committee: Committee;

beforeAll(async () => {
  const coins: readonly Coin[] = ['btc', 'sol'];
  const local = new LocalCommittee({
    operators: 2,
    threshold: 2,
    coins,
    cloud: { seed: new Uint8Array(32).fill(9), clock: 'virtual' },
  });
  const [addresses, outcomes, signings] = [
    new Map<string, Address>(),
    new Map<string, KeygenOutcome>(),
    new Map<string, SigningOutcome>(),
  ];
  local.onAddress((address, operator) => addresses.set(`${address.coin}${operator}`, address));
  local.onOutcome((event, operator, coin) => {
    if ('KeygenOutcome' in event) outcomes.set(`${coin}${operator}`, event.KeygenOutcome);
    if ('SigningOutcome' in event) signings.set(`${coin}${operator}`, event.SigningOutcome);
  });
  committee = await local.assemble();
  await local.cloud.run({ stopWhen: () => addresses.size === 4 && outcomes.size === 4 });
  for (const coin of coins) {
    const keyId = addresses.get(`${coin}1`)?.keyId as Hex;
    const requestId: Hex = `0x${'09'.repeat(16)}`;
    const messages: Hex[] = [`0x${Buffer.from(MESSAGE).toString('hex')}`];
    await local.instruct(coin, { Sign: { keyId, messages, purpose: 'test', requestId, expiresAt: local.now() + 60 } });
  }
  await local.cloud.run({ stopWhen: () => signings.size === 4 });
  for (const coin of coins) {
    said[coin].keys = [1, 2].map((operator) => ({
      operator,
      outcome: outcomes.get(`${coin}${operator}`),
      address: addresses.get(`${coin}${operator}`),
    }));
    said[coin].signings = [1, 2].map((operator) => ({ operator, outcome: signings.get(`${coin}${operator}`) }));
  }
});

function sentence(agreed: Agreed<unknown>): string {
  return agreed.ok ? 'agreed' : agreed.failure.sentence;
}

/** All operators, or only the last, say something else about the address. */
function announcing(coin: Coin, change: (address: Address) => Address, who: 'all' | 'last' = 'all'): string {
  const keys = said[coin].keys.map((each, i, { length }) =>
    each.address && (who === 'all' || i === length - 1) ? { ...each, address: change(each.address) } : each,
  );
  return sentence(agreedKey(committee, coin, keys));
}

const flipped = (hex: Hex): Hex => `0x${hex[2] === '0' ? '1' : '0'}${hex.slice(3)}`;

describe('a key is believed', () => {
  it.each(['btc', 'sol'] as const)('if all operators announce the same one: %s', (coin) => {
    const agreed = agreedKey(committee, coin, said[coin].keys);
    expect(agreed).toMatchObject({
      ok: true,
      value: { coin, announcedBy: 2, keyId: said[coin].keys[0]?.outcome?.keyId },
    });
  });

  it('not if one of them says nothing, or failed', () => {
    const [one, two] = said.btc.keys as [SaidOfKey, SaidOfKey];
    expect(sentence(agreedKey(committee, 'btc', [one, { ...two, outcome: undefined }]))).toBe(
      'btc: no key (Timeout): operator 2 said nothing',
    );
    const failed = { ...two.outcome, result: 'unresolved', reason: 'Timeout', unresponsive: [1] } as KeygenOutcome;
    expect(agreedKey(committee, 'btc', [one, { ...two, outcome: failed }])).toEqual({
      ok: false,
      failure: {
        coin: 'btc',
        reason: 'Timeout',
        unresponsive: [1],
        sentence: 'btc: no key (Timeout): key generation unresolved at operator 2',
      },
    });
  });

  it('not if one of them announces another one, or none', () => {
    const different = 'btc: no key (Disagreement): expected one key announced by all 2 operators, got different ones';
    expect(announcing('btc', (address) => ({ ...address, keyId: flipped(address.keyId) }), 'last')).toBe(different);
    const [one, two] = said.btc.keys as [SaidOfKey, SaidOfKey];
    expect(sentence(agreedKey(committee, 'btc', [one, { ...two, address: undefined }]))).toBe(different);
    expect(sentence(agreedKey(committee, 'btc', [{ ...one, address: undefined }, two]))).toBe(different);
  });

  it('not if a confirmation of the certificate does not verify', () => {
    const forged = (address: Address) => {
      const [first = '0x', ...rest] = address.certificate.signatures;
      return { ...address, certificate: { ...address.certificate, signatures: [flipped(first), ...rest] } };
    };
    expect(announcing('sol', forged)).toBe(
      'sol: no key (BadCertificate): the confirmation of operator 1 does not verify',
    );
  });

  it('not if the certificate is of another key', () => {
    expect(announcing('sol', (address) => ({ ...address, keyId: flipped(address.keyId) }))).toBe(
      'sol: no key (BadCertificate): it is of another key than the one announced',
    );
    const other = said.btc.keys[0]?.address as Address;
    expect(announcing('sol', (address) => ({ ...address, publicKey: other.publicKey }))).toBe(
      'sol: no key (BadCertificate): it is of another public key than the one announced',
    );
  });

  it('not if the address pays to somebody else, or to nobody', () => {
    const elsewhere = (address: string) => announcing('btc', (each) => ({ ...each, address }));
    const wrong = 'btc: no key (BadAddress): the address does not decode to the public key';
    expect(elsewhere('bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqzk5jj0')).toBe(wrong);
    expect(elsewhere('bc1q')).toBe(wrong);
    expect(announcing('sol', (each) => ({ ...each, address: '11111111111111111111111111111111' }))).toContain(
      'BadAddress',
    );
  });
});

describe('a signature is believed', () => {
  it.each(['btc', 'sol'] as const)(
    'if all operators announce the same one, and other code verifies it: %s',
    async (coin) => {
      const agreed = agreedSignatures(coin, 2, [MESSAGE], said[coin].signings);
      const key = agreedKey(committee, coin, said[coin].keys);
      if (!agreed.ok || !key.ok) throw new Error('expected agreement');
      const [signature = '0x'] = agreed.value;
      expect(await whyInvalid(key.value, MESSAGE, signature)).toBeUndefined();
      expect(await whyInvalid(key.value, Uint8Array.of(1), signature)).toMatchObject({
        coin,
        reason: 'InvalidSignature',
      });
      expect(await whyInvalid(key.value, MESSAGE, `0x${signature.slice(2, -2)}00`)).toMatchObject({
        sentence: expect.stringContaining('is not valid'),
      });
    },
  );

  it('not if one of them failed or said nothing; those whom they name are named', () => {
    const [one, two] = said.sol.signings as [SaidOfSigning, SaidOfSigning];
    const failed = { ...two.outcome, result: 'failed', reason: 'Timeout', unresponsive: [3, 1] } as SigningOutcome;
    expect(agreedSignatures('sol', 2, [MESSAGE], [one, { ...two, outcome: failed }])).toEqual({
      ok: false,
      failure: {
        coin: 'sol',
        reason: 'Timeout',
        unresponsive: [1, 3],
        sentence: 'sol: no signature (Timeout): 2 operators are needed; living: 1, 2; unresponsive by their word: 1, 3',
      },
    });
    expect(sentence(agreedSignatures('sol', 2, [MESSAGE], [one, { ...two, outcome: undefined }]))).toBe(
      'sol: no signature (Timeout): 2 operators are needed; living: 1, 2',
    );
  });

  it('not if they announce different ones, or not one for each message', () => {
    const [one, two] = said.sol.signings as [SaidOfSigning, SaidOfSigning];
    const other = { ...two.outcome, signatures: [`0x${'00'.repeat(64)}`] } as SigningOutcome;
    expect(sentence(agreedSignatures('sol', 2, [MESSAGE], [one, { ...two, outcome: other }]))).toBe(
      'sol: no signature (Disagreement): the operators announced different signatures',
    );
    expect(sentence(agreedSignatures('sol', 2, [MESSAGE, MESSAGE], said.sol.signings))).toBe(
      'sol: no signature (Disagreement): expected 2 signatures, got 1',
    );
  });
});
