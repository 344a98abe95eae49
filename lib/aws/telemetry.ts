/** {@link Telemetry} as lines of JSON on standard output, which Lambda hands to CloudWatch Logs. */
import type { Telemetry } from '../ports.ts';

/** Names, counts and reasons are short; what is longer is something that does not belong here. */
const MAX_FIELD_CHARACTERS = 256;

type Fields = Readonly<Record<string, string | number | boolean>>;

/** @param base fields of every line: operator, coin, function */
export function jsonLines(base: Fields, write: (line: string) => void = writeOut): Telemetry {
  return {
    record(event, fields = {}) {
      const line: Record<string, string | number | boolean> = { time: new Date().toISOString(), event };
      // What an event says about itself never hides when, what and where it was.
      for (const [name, value] of Object.entries({ ...fields, ...base })) {
        if (!(name in line)) line[name] = typeof value === 'string' ? value.slice(0, MAX_FIELD_CHARACTERS) : value;
      }
      write(`${JSON.stringify(line)}\n`);
    },
  };
}

function writeOut(line: string): void {
  process.stdout.write(line);
}
