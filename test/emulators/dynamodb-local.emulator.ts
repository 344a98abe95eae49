import { describe } from 'vitest';
import { startDynamoDbLocal } from '../../scripts/emulators/dynamodb-local.ts';
import { namelessTables, storeAdapter } from './adapters.ts';
import { storeOn } from './contracts.ts';
import { note, withEngine } from './engine-suite.ts';

await withEngine(
  'dynamodb-local',
  () => startDynamoDbLocal({ note }),
  {
    'every table has an identity of its own, which stays':
      'shows no TableId: nothing is wrapped there, and no service votes',
    'has another identity: what was wrapped for the old one stays closed':
      'shows no TableId: nothing is wrapped there, and no service votes',
  },
  (started) => {
    storeOn(started);
    describe('the store', () => {
      storeAdapter(started);
      namelessTables(started);
    });
  },
);
