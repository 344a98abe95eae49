/** An SDK client that answers from a script: each call takes the next answer, and is remembered. */
export interface Call {
  readonly operation: string;
  readonly input: Record<string, unknown>;
}

export type Answer = object | Error | ((input: Record<string, unknown>) => object | Error);

export function stubClient<Client>(...answers: Answer[]): { readonly client: Client; readonly calls: Call[] } {
  const calls: Call[] = [];
  const send = async (command: {
    readonly input: Record<string, unknown>;
    readonly constructor: { readonly name: string };
  }) => {
    calls.push({ operation: command.constructor.name.replace(/Command$/, ''), input: command.input });
    // The last answer stands for all that follow.
    const scripted = answers.length > 1 ? answers.shift() : answers[0];
    const answer =
      typeof scripted === 'function'
        ? (scripted as (input: Record<string, unknown>) => object | Error)(command.input)
        : scripted;
    if (answer === undefined) throw new Error('the test scripted no answer');
    if (answer instanceof Error) throw answer;
    return answer;
  };
  return { client: { send } as Client, calls };
}

export function sdkError(name: string, status?: number, further: object = {}): Error {
  const error = new Error('the service says something about a secret value');
  error.name = name;
  return Object.assign(error, status === undefined ? {} : { $metadata: { httpStatusCode: status } }, further);
}

/** Attempts without waiting. */
export const EAGER = { attempts: 3, base: 0 };
