import { expect, test } from 'vitest';
import { verifySignature } from '../../lib/frost/signing.ts';
import { suiteOf } from '../../lib/frost/suite.ts';
import { fromHex } from '../../lib/messages/hex.ts';
import { KeygenNetwork, SigningNetwork, World } from './network.ts';

for (const suite of ['FROST-secp256k1-SHA256-TR-v1', 'FROST-ED25519-SHA512-v1'] as const) {
  test(`${suite}: 3 of 5 make a key and sign two messages with it`, () => {
    const made = new KeygenNetwork(new World({ n: 5, t: 3, suite }));
    made.run();
    expect(made.stages()).toEqual(Array(5).fill('Succeeded'));
    const state = made.node(1).state;
    const keyId = state?.stage === 'Succeeded' ? state.keyId : '0x';
    const signed = new SigningNetwork(made, keyId, ['0x01', '0x0203']);
    signed.authoriseAll();
    signed.run();
    for (const index of signed.honest()) {
      const end = signed.node(index).state;
      if (end?.stage !== 'Succeeded') throw new Error(`node ${index} ended ${end?.stage}`);
      end.signatures.forEach((signature, m) => {
        const message = fromHex(signed.parameters.messages[m] ?? '0x');
        expect(
          verifySignature(suiteOf(suite), fromHex(made.signingCertificate().outputKey), message, fromHex(signature)),
        ).toBe(true);
      });
    }
  });
}
