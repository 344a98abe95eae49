// A producer over a transport of its own: here one that only remembers.
import { readFileSync } from 'node:fs';
import { CoterieClient, InvalidRequest } from 'coterie/client';
import type { Transport } from 'coterie/client/transport';
import { parseCommittee } from 'coterie/committee';

const parsed = parseCommittee(JSON.parse(readFileSync('committee.json', 'utf8')));
if (!parsed.ok) throw new Error(parsed.reason);

const sent: string[] = [];
const transport: Transport = {
  instruct: async (_coin, body) => {
    sent.push(body);
  },
  receive: async () => [],
};
const client = new CoterieClient({ committee: parsed.committee, identity: 'operator1', coins: ['sol'], transport });

const asked = await client.keygen({ coin: 'sol' });
console.log(`asked for ceremony ${asked.ceremony}: ${sent[0]}`);
try {
  await client.keygen({ coin: 'btc' });
  throw new Error('expected a coin that the committee has not to be refused');
} catch (error) {
  if (!(error instanceof InvalidRequest)) throw error;
  console.log(error.message);
}
if (sent.length !== 1) throw new Error(`expected one instruction to be sent, ${sent.length} were`);

const stop = new AbortController();
setTimeout(() => stop.abort(), 10);
for await (const outcome of client.outcomes({ signal: stop.signal, waitSeconds: 0 })) console.log(outcome.kind);
