/** Conservation under attack, by seed: `npx tsx scripts/simulate-tokens.ts [--runs 2000] [--from 0]`; the tests run a few. */
import { parseArgs } from 'node:util';
import { simulate } from '../test/simulation-tokens/simulation.ts';

const { values } = parseArgs({
  options: { runs: { type: 'string', default: '2000' }, from: { type: 'string', default: '0' } },
});
const [runs, from] = [Number(values.runs), Number(values.from)];
let [failures, crashes, effective] = [0, 0, 0];
for (let run = 0; run < runs; run++) {
  const outcome = await simulate(from + run, { n: 7, t: 5, f: 2 });
  crashes += outcome.crashes;
  effective += outcome.effective;
  if (outcome.violations.length > 0) {
    failures++;
    process.stdout.write(`seed ${from + run}: ${outcome.violations.join('; ')}\n`);
  }
  if ((run + 1) % 50 === 0 || run + 1 === runs)
    process.stderr.write(
      `${run + 1} of ${runs} runs: ${effective} certified, ${crashes} crashes, ${failures} failures\n`,
    );
}
let seed = 0;
while (seed < 100 && (await simulate(seed, { n: 7, t: 4, f: 2, unsafe: true })).violations.length === 0) seed++;
process.stdout.write(
  seed < 100
    ? `t = 4 of 7, f = 2: a double spend at seed ${seed}\n`
    : 'no double spend in 100 seeds at t = 4 of 7, f = 2\n',
);
process.exitCode = failures > 0 || seed >= 100 ? 1 : 0;
