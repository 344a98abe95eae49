import { describe } from 'vitest';
import { startDynamoDbLocal } from '../../scripts/emulators/dynamodb-local.ts';
import { storeAdapter } from './adapters.ts';
import { storeOn } from './contracts.ts';
import { note, withEngine } from './engine-suite.ts';

await withEngine(
  () => startDynamoDbLocal({ note }),
  {
    'every table has an identity of its own, which stays': 'shows no TableId',
    'has another identity: what was wrapped for the old one stays closed': 'shows no TableId',
  },
  (started) => {
    storeOn(started);
    describe('the store', () => storeAdapter(started));
  },
);
