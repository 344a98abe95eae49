/** What the command line ends with, for scripts. */
export const STATUS = {
  /** What was asked for was done, or the answer is yes. */
  ok: 0,
  /** A ceremony failed, or the answer is no. */
  failed: 1,
  /** The command line is wrong; nothing was done. */
  usage: 2,
  /** Nobody answered where the operator should be. */
  unreachable: 3,
  /** The wait is over and the ceremony is not: it goes on by itself. */
  waiting: 4,
  /** The operator's own processor refused the instruction. */
  refused: 5,
} as const;
export type Status = (typeof STATUS)[keyof typeof STATUS];

export const STATUS_HELP = `
Exit status: 0 done, or yes; 1 failed, or no; 2 the command line is wrong; 3 nobody answers; 4 still open when the wait ended; 5 refused.`;

/** Nobody answers, or not with anything that helps: one sentence on stderr that says what to do, exit status 3. */
export class Unreachable extends Error {
  readonly kind = 'Unreachable';
}
