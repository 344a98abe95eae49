import { describe } from 'vitest';
import { startMoto } from '../../scripts/emulators/moto.ts';
import { busAdapter, keyWrapperAdapter } from './adapters.ts';
import { busOn, keyWrapperOn, serialsOn } from './contracts.ts';
import { note, withEngine } from './engine-suite.ts';

await withEngine(
  'moto',
  () => startMoto({ note }),
  {
    'contexts that read alike when written side by side are not the same':
      'writes the names and values of a context side by side',
    'the other lifecycle, and another instance, are refused':
      'refuses another key without the words that AWS says it in',
    'a flipped bit anywhere, a cut and an addition are refused':
      'refuses another key without the words that AWS says it in',
  },
  (started) => {
    keyWrapperOn(started);
    serialsOn(started);
    busOn(started);
    describe('the key wrapper', () => keyWrapperAdapter(started));
    describe('the bus', () => busAdapter(started, { cross: false }));
  },
);
