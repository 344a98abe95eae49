/** What every {@link KeyWrapper} must do, whatever it runs on. */
import { beforeAll, describe, expect, test } from 'vitest';
import { type KeyWrapper, WrongContext } from '../../lib/ports.ts';

const CONTEXT = { identity: 'alice', coin: 'btc', kind: 'share' };

/** @param makeWrappers two instances with master keys of their own */
export function keyWrapperContract(name: string, makeWrappers: () => Promise<readonly [KeyWrapper, KeyWrapper]>): void {
  describe(`key wrapper contract: ${name}`, () => {
    let wrapper: KeyWrapper;
    let stranger: KeyWrapper;
    beforeAll(async () => {
      [wrapper, stranger] = await makeWrappers();
    });

    for (const lifecycle of ['keys', 'ephemeral'] as const) {
      test(`a data key of 32 bytes under '${lifecycle}' opens again, and again`, async () => {
        const { plaintext, wrapped } = await wrapper.generateDataKey(lifecycle, CONTEXT);
        expect(plaintext).toHaveLength(32);
        expect(wrapped.length).toBeGreaterThan(32);
        expect(wrapped.length).toBeLessThanOrEqual(1024);
        expect(Buffer.from(wrapped).includes(Buffer.from(plaintext))).toBe(false);
        const copy = new Uint8Array(plaintext);
        plaintext.fill(0);
        expect(await wrapper.decrypt(lifecycle, wrapped, CONTEXT)).toEqual(copy);
        expect(await wrapper.decrypt(lifecycle, wrapped, CONTEXT)).toEqual(copy);
      });
    }

    test('no two data keys are the same', async () => {
      const keys = await Promise.all(Array.from({ length: 10 }, () => wrapper.generateDataKey('keys', CONTEXT)));
      expect(new Set(keys.map(({ plaintext }) => Buffer.from(plaintext).toString('hex'))).size).toBe(10);
      expect(new Set(keys.map(({ wrapped }) => Buffer.from(wrapped).toString('hex'))).size).toBe(10);
    });

    test('the order of the names in a context does not matter', async () => {
      const { plaintext, wrapped } = await wrapper.generateDataKey('keys', CONTEXT);
      const other = { kind: 'share', coin: 'btc', identity: 'alice' };
      expect(await wrapper.decrypt('keys', wrapped, other)).toEqual(plaintext);
    });

    test('any other context is refused', async () => {
      const { wrapped } = await wrapper.generateDataKey('keys', CONTEXT);
      const others = [
        {},
        { ...CONTEXT, identity: 'mallory' },
        { ...CONTEXT, more: 'x' },
        { identity: 'alice', coin: 'btc' },
        { identity: 'btc', coin: 'alice', kind: 'share' },
        { identity: 'alicecoin', coinbtc: 'x', kind: 'share' },
        { identity: 'alice', coin: 'btckind', share: 'x' },
      ];
      for (const other of others) await expect(wrapper.decrypt('keys', wrapped, other)).rejects.toThrow(WrongContext);
    });

    test('contexts that read alike when written side by side are not the same', async () => {
      const { wrapped } = await wrapper.generateDataKey('keys', { a: 'b', c: 'd' });
      for (const other of [{ a: 'bcd' }, { ab: 'c', d: 'x' }, { a: 'b,c=d' }, { a: 'b', cd: 'x' }]) {
        await expect(wrapper.decrypt('keys', wrapped, other)).rejects.toThrow(WrongContext);
      }
    });

    test('the other lifecycle, and another instance, are refused', async () => {
      const { wrapped } = await wrapper.generateDataKey('keys', CONTEXT);
      await expect(wrapper.decrypt('ephemeral', wrapped, CONTEXT)).rejects.toThrow(WrongContext);
      await expect(stranger.decrypt('keys', wrapped, CONTEXT)).rejects.toThrow(WrongContext);
    });

    test('a flipped bit anywhere, a cut and an addition are refused', async () => {
      const { wrapped } = await wrapper.generateDataKey('keys', CONTEXT);
      const step = Math.max(1, Math.floor(wrapped.length / 64));
      for (let at = 0; at < wrapped.length; at += step) {
        const changed = new Uint8Array(wrapped);
        changed[at] = (changed[at] ?? 0) ^ (1 << (at % 8));
        await expect(wrapper.decrypt('keys', changed, CONTEXT), `byte ${at}`).rejects.toThrow(WrongContext);
      }
      const wrong = [
        wrapped.slice(1),
        wrapped.slice(0, -1),
        new Uint8Array([...wrapped, 0]),
        new Uint8Array(0),
        new Uint8Array(1025),
      ];
      for (const other of wrong) await expect(wrapper.decrypt('keys', other, CONTEXT)).rejects.toThrow(WrongContext);
    });
  });
}
