/** What becomes of output that cannot be written. */
import { STATUS } from './exit-status.ts';

/**
 * A reader that has gone has what it wanted (`| head -1`): the command ends as it would have, without a stack. A full disk took a part of the answer: that is no success, whatever the command
 * says. Asked for once, by the process and not by a command: such an error may come after the command has ended.
 */
export function watchOutput(): void {
  process.stderr.on('error', () => {});
  let told = false;
  process.stdout.on('error', ({ code = 'an error' }: NodeJS.ErrnoException) => {
    if (code === 'EPIPE' || told) return;
    told = true;
    process.stderr.write(`coterie: stdout: expected room for the output, got ${code}: it is not complete\n`);
    process.once('exit', () => {
      process.exitCode = STATUS.failed;
    });
  });
}
