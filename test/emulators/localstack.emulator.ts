import { describe } from 'vitest';
import { startLocalStack } from '../../scripts/emulators/localstack.ts';
import { busAdapter, keyWrapperAdapter } from './adapters.ts';
import { busOn, keyWrapperOn } from './contracts.ts';
import { note, withEngine } from './engine-suite.ts';

await withEngine(
  'localstack',
  () => startLocalStack({ note }),
  {
    'contexts that read alike when written side by side are not the same':
      'writes the names and values of a context side by side',
  },
  (started) => {
    keyWrapperOn(started);
    busOn(started);
    describe('the key wrapper', () => keyWrapperAdapter(started));
    describe('the bus', () => busAdapter(started, { cross: false }));
  },
);
