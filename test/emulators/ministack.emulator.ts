import { describe } from 'vitest';
import { startMinistack } from '../../scripts/emulators/ministack.ts';
import { busAdapter, storeAdapter } from './adapters.ts';
import { busOn, keyWrapperOn, storeOn } from './contracts.ts';
import { note, withEngine } from './engine-suite.ts';

await withEngine(
  'ministack',
  () => startMinistack({ note }),
  {
    '4 MB are one transaction, one byte more is refused': 'counts the request, in which bytes are base64',
    'the other lifecycle, and another instance, are refused': 'ignores which key is named',
    'a flipped bit anywhere, a cut and an addition are refused': 'opens ciphertexts in which bits were flipped',
  },
  (started) => {
    storeOn(started);
    busOn(started);
    keyWrapperOn(started);
    describe('the bus', () => busAdapter(started, { cross: true }));
    describe('the store', () => storeAdapter(started));
  },
);
