/** Every guard, in the order of the kill table. */
import type { Guard } from './guard.ts';
import { ADAPTER_GUARDS } from './guards/adapters.ts';
import { CEREMONY_GUARDS } from './guards/ceremonies.ts';
import { FROST_GUARDS } from './guards/frost.ts';
import { JUDGE_GUARDS } from './guards/judges.ts';
import { MESSAGE_GUARDS } from './guards/messages.ts';
import { NODE_GUARDS } from './guards/node.ts';
import { TOKEN_GUARDS } from './guards/tokens.ts';

export const GUARDS: readonly Guard[] = [
  ...NODE_GUARDS,
  ...CEREMONY_GUARDS,
  ...FROST_GUARDS,
  ...MESSAGE_GUARDS,
  ...JUDGE_GUARDS,
  ...ADAPTER_GUARDS,
  ...TOKEN_GUARDS,
];
