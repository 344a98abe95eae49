/** One thing that was looked at, and what was found. */
export interface Checkup {
  /** `problem` counts; `unknown`: these credentials or this endpoint do not say. */
  readonly result: 'good' | 'problem' | 'unknown';
  readonly subject: string;
  readonly what: string;
  /** Of a problem. */
  readonly remedy?: string;
}

export const good = (subject: string, what: string): Checkup => ({ result: 'good', subject, what });
export const problem = (subject: string, what: string, remedy: string): Checkup => ({
  result: 'problem',
  subject,
  what,
  remedy,
});
export const unknown = (subject: string, what: string): Checkup => ({ result: 'unknown', subject, what });

/** A question that is not answered is no finding about the thing itself, unless the thing is not there. */
export async function asking(subject: string, missing: string, ask: () => Promise<Checkup[]>): Promise<Checkup[]> {
  try {
    return await ask();
  } catch (error) {
    const name = error instanceof Error ? error.name : 'unknown';
    if (/NotFound|NonExistent|DoesNotExist/.test(name)) return [problem(subject, 'is not there', missing)];
    return [unknown(subject, `could not be asked (${name})`)];
  }
}
