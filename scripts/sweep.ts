/** The full crash sweep: operator 1 dies before and after every one of its port calls. `npx tsx scripts/sweep.ts [stride]`; the tests run a sample of it. */
import { broken, crashAt, type Phase } from '../test/node/sweep.ts';

const stride = Number(process.argv[2] ?? 1);
let failures = 0;
for (const phase of ['keygen', 'signing'] satisfies Phase[]) {
  const { calls } = await crashAt(phase, Number.POSITIVE_INFINITY, 'before');
  for (let at = 0; at < calls; at += stride) {
    for (const when of ['before', 'after'] as const) {
      const { world } = await crashAt(phase, at, when);
      const why = broken(world, phase);
      if (why === undefined) continue;
      failures++;
      process.stdout.write(`${phase}, ${when} call ${at} of ${calls}: ${why}\n`);
    }
  }
  process.stdout.write(`${phase}: ${calls} calls, stride ${stride}\n`);
}
process.exitCode = failures > 0 ? 1 : 0;
