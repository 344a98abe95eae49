/** SEC-02: every byte that is not in a secret's own row is searched for every secret of a whole run. */
import { expect, test } from 'vitest';
import { fromHex } from '../../lib/messages/hex.ts';
import type { SecretKind } from '../../lib/vault/vault.ts';
import { NodeWorld } from './world.ts';

/** Whole secrets and their parts: scalars, private keys, data keys. */
const SECRET_BYTES = 32;

function forms(secret: Uint8Array): string[] {
  const bytes = Buffer.from(secret);
  const reversed = Buffer.from(secret).reverse();
  return [bytes, reversed].flatMap((each) => [
    each.toString('hex'),
    each.toString('latin1'),
    BigInt(`0x${each.toString('hex')}`).toString(10),
    // The middle of the base64 text is the same at each of the three places that a longer text can give it.
    ...[0, 1, 2].flatMap((offset) => {
      const text = Buffer.concat([Buffer.alloc(offset), each])
        .toString('base64')
        .replace(/=+$/, '')
        .slice(4, -2);
      return [text, text.replaceAll('+', '-').replaceAll('/', '_')];
    }),
  ]);
}

class Sinks {
  readonly texts: string[] = [];

  add(value: unknown): void {
    if (value instanceof Uint8Array) this.texts.push(Buffer.from(value).toString('latin1'));
    else if (value instanceof Set || Array.isArray(value)) for (const each of value) this.add(each);
    else if (typeof value === 'object' && value !== null) for (const each of Object.values(value)) this.add(each);
    else this.texts.push(String(value).toLowerCase(), String(value));
  }

  found(secrets: ReadonlyMap<string, Uint8Array>): string[] {
    const all = this.texts.join('\n');
    return [...secrets].filter(([, secret]) => forms(secret).some((form) => all.includes(form))).map(([name]) => name);
  }
}

test.each(['sol', 'btc'] as const)(
  'SEC-01, SEC-02 no secret of a whole %s run is in a queue, a record, or a row that is not its own',
  async (coin) => {
    const world = new NodeWorld({ coin });
    const sinks = new Sinks();
    const secrets = new Map<string, Uint8Array>();
    world.cloud.inspect.onSend(({ body }) => sinks.add(body));
    const wrapped: { operator: number; kind: SecretKind; id: string; name: string; blob: Uint8Array }[] = [];
    world.cloud.intercept(({ namespace, when, operation, args }) => {
      if (when !== 'before' || (operation !== 'transact' && operation !== 'write')) return;
      const writes = operation === 'transact' ? args[0] : [args[0]];
      const [identity = '', role = ''] = namespace.split('/');
      for (const write of writes) {
        if (write.kind !== 'put') continue;
        sinks.add(write.item);
        const { blob, pk, sk } = write.item;
        if (!(blob instanceof Uint8Array) || role !== coin) continue;
        const kind: SecretKind = write.table === 'Nonces' ? 'ceremony' : pk === 'OWN' ? 'own' : 'key';
        const id = kind === 'own' ? 'own' : pk.slice(2);
        wrapped.push({
          operator: Number(identity.replace('operator', '')),
          kind,
          id,
          name: sk,
          blob: new Uint8Array(blob),
        });
      }
    });
    await world.assembled();
    await world.instruct(world.sign({ messages: ['0x01', '0x02'] }));
    await world.run();
    expect(world.signing(1)?.stage).toBe('Succeeded');
    for (const report of world.reports) sinks.add(report);

    for (const { operator, kind, id, name, blob } of wrapped) {
      const { bytes } = await world.vault(operator).unwrap({ kind, id }, name, blob);
      const label = `${kind} ${name} of operator ${operator}`;
      // A polynomial's row begins with the length of its coefficients; a nonce's row ends with its public commitments.
      const body =
        name === 'POLYNOMIAL'
          ? bytes.subarray(4, 4 + new DataView(bytes.buffer, bytes.byteOffset).getUint32(0))
          : bytes;
      const scalars = name.startsWith('NONCE') ? 2 : body.length / SECRET_BYTES;
      for (let part = 0; part < scalars; part++) {
        secrets.set(`${label}, part ${part}`, body.slice(part * SECRET_BYTES, (part + 1) * SECRET_BYTES));
      }
    }
    const kinds = new Set(
      [...secrets.keys()].map((label) =>
        label
          .split(' ')
          .slice(0, 2)
          .join(' ')
          .replace(/[#,].*/, ''),
      ),
    );
    expect([...kinds].sort()).toEqual([
      'ceremony NONCE',
      'ceremony POLYNOMIAL',
      'ceremony SEALKEY',
      'key SHARE',
      'own MESSAGING',
      'own SIGNATURE',
    ]);
    expect(sinks.found(secrets)).toEqual([]);

    // The search finds what is there: a public key, a byte string, a text.
    const planted = new Sinks();
    const [name, secret] = [...secrets][0] ?? ['', new Uint8Array()];
    for (const form of [Buffer.from(secret).toString('hex'), Buffer.from(secret).toString('base64'), secret]) {
      const one = new Sinks();
      one.add({ text: form });
      planted.add({ text: form });
      expect(one.found(new Map([[name, secret]]))).toEqual([name]);
    }
    const state = world.keygen(1);
    const content = state?.stage === 'Succeeded' ? state.content : undefined;
    const key = content && 'outputKey' in content ? fromHex(content.outputKey) : new Uint8Array(32);
    expect(sinks.found(new Map([['the public key', key]])), 'a public value is found').toEqual(['the public key']);
  },
);

test('SEC-04 nothing secret is left of a ceremony that is over', async () => {
  const world = await new NodeWorld().assembled();
  await world.instruct(world.sign());
  await world.run();
  for (const operator of world.operators) {
    const left = world.items(operator, 'Nonces').filter((item) => 'blob' in item || !item.sk.startsWith('SAID#'));
    expect(left.map(({ sk }) => sk)).toEqual([]);
  }
});
