/** Where an operator file names instruction keys, nothing is sent that its processor would refuse. */
import { ed25519 } from '@noble/curves/ed25519.js';
import { expect, it } from 'vitest';
import { checkSigned } from '../../lib/cli/ask.ts';
import type { Place } from '../../lib/cli/place.ts';
import { UsageError } from '../../lib/cli/usage.ts';
import { CoterieClient } from '../../lib/client/coterie-client.ts';
import { toHex } from '../../lib/messages/hex.ts';
import { checkInstructionSignatures } from '../../lib/messages/instructions.ts';
import { World } from '../ceremonies/network.ts';

const { committee } = new World({ n: 3, t: 2 });
const [coin = ''] = Object.keys(committee.file.coins);
const identity = committee.operator(1)?.identity ?? '';
const secret = new Uint8Array(32).fill(3);
const key = toHex(ed25519.getPublicKey(secret));
const place = { file: { instructionKeys: { required: 1, keys: [key] } } } as unknown as Place;
const transport = { instruct: async () => {}, receive: async () => [] };
const client = new CoterieClient({ committee, identity, coins: [coin], transport });

it('an unsigned instruction is a mistake before it is sent; the printed bytes, signed, are what the processor checks', () => {
  const asked = client.prepareKeygen({ coin });
  expect(() => checkSigned(place, asked)).toThrow(UsageError);
  expect(() => checkSigned(place, asked)).toThrow(
    /expected 1 signatures of the operator's instruction keys, got 0: --unsent/,
  );
  const { requestId, expiresAt, bytes } = asked;
  const signatures = [{ key, signature: toHex(ed25519.sign(bytes, secret)) }];
  const signed = client.prepareKeygen({ coin, requestId, expiresAt, signatures });
  expect(() => checkSigned(place, signed)).not.toThrow();
  expect(signed.ceremony).toBe(asked.ceremony);
  const scope = { committee: committee.id, coin };
  expect(checkInstructionSignatures(signed.instruction, scope, { required: 1, keys: [key] })).toBe(true);
});
