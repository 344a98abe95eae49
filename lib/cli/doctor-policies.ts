/** Policies of keys and queues, as far as the doctor reads them: who is let in, on which condition. */

/** Actions that open or make secrets, or hand out the right to. */
const USES = [
  'kms:*',
  'kms:Decrypt',
  'kms:GenerateDataKey',
  'kms:GenerateDataKey*',
  'kms:CreateGrant',
  'kms:Encrypt',
  'kms:ReEncrypt*',
];

export interface PolicyStatement {
  readonly Sid?: string;
  readonly Effect?: string;
  readonly Principal?: unknown;
  readonly Action?: string | readonly string[];
  readonly Condition?: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
}

export function statementsIn(policy: unknown): readonly PolicyStatement[] {
  const { Statement } = policy as { Statement?: PolicyStatement | readonly PolicyStatement[] };
  return Statement === undefined ? [] : Array.isArray(Statement) ? Statement : [Statement as PolicyStatement];
}

/** Statements that allow the use of a key to whole accounts. @returns how to call each */
export function tooWide(policy: unknown): readonly string[] {
  return statementsIn(policy).flatMap((statement, i) => {
    const { Effect, Action = [], Condition = {}, Sid } = statement;
    const actions = typeof Action === 'string' ? [Action] : Action;
    if (Effect !== 'Allow' || !actions.some((action) => USES.some((use) => sameAction(action, use)))) return [];
    const names = Object.values(Condition).flatMap((test) => Object.keys(test));
    const bound = names.includes('aws:PrincipalArn') && names.some((name) => name.startsWith('kms:EncryptionContext'));
    return bound ? [] : [Sid ?? `statement ${i + 1}`];
  });
}

/** `kms:Decrypt*` and `*` cover `kms:Decrypt`. */
function sameAction(action: string, use: string): boolean {
  const begins = action.endsWith('*') ? action.slice(0, -1).toLowerCase() : undefined;
  const wanted = use.replace(/\*$/, '').toLowerCase();
  return begins === undefined
    ? action.toLowerCase() === wanted
    : wanted.startsWith(begins) || begins.startsWith(wanted);
}

export function isTls({ Effect, Condition }: PolicyStatement): boolean {
  return Effect === 'Deny' && `${Condition?.['Bool']?.['aws:SecureTransport']}` === 'false';
}

export function isEverybody(principal: unknown): boolean {
  return (
    principal === '*' || (typeof principal === 'object' && principal !== null && Reflect.get(principal, 'AWS') === '*')
  );
}

export function sends(action: PolicyStatement['Action']): boolean {
  const actions = action === undefined ? [] : typeof action === 'string' ? [action] : action;
  return actions.some((each) => /^sqs:(?:\*|SendMessage)$/i.test(each));
}

export function callersOf({ Condition = {} }: PolicyStatement): string[] {
  return Object.values(Condition).flatMap((test) => {
    const callers = test['aws:PrincipalArn'];
    return typeof callers === 'string' ? [callers] : Array.isArray(callers) ? (callers as string[]) : [];
  });
}

/** Whole accounts: those that an admission names as principals, or that a denial leaves out. */
export function accountsOf({ Effect, Principal, Condition = {} }: PolicyStatement): string[] {
  const named: unknown =
    Effect === 'Deny' ? Condition['StringNotEquals']?.['aws:PrincipalAccount'] : (Principal as { AWS?: unknown })?.AWS;
  const all = typeof named === 'string' ? [named] : Array.isArray(named) ? (named as string[]) : [];
  return all.map((each) => each.split(':')[4] ?? each);
}

export function sameSet(a: readonly string[], b: readonly string[]): boolean {
  return JSON.stringify([...new Set(a)].sort()) === JSON.stringify([...new Set(b)].sort());
}
