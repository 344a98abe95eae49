/** `npx tsx scripts/linkability.ts [1000]`: attack ECASH-12 at full size, a few minutes. The tests run it with few credentials. */
import { randomBytes } from 'node:crypto';
import { tryToLink } from '../test/coconut/linkability.ts';

const count = Number(process.argv[2] ?? 1_000);
const { linked, sharedWindows } = tryToLink(count, (length) => new Uint8Array(randomBytes(length)));
console.log(`${count} credentials issued and shown; eight bytes in common: ${sharedWindows}`);
for (const { distinguisher, honest, careless } of linked)
  console.log(`${distinguisher}: ${honest} linked (1 by chance), of a wallet that does not randomise h: ${careless}`);
// More than nine right ones by chance: once in ten million runs.
if (sharedWindows > 0 || linked.some(({ honest }) => honest > 9)) process.exitCode = 1;
