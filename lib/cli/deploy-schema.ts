/** The operator file's JSON schema, for editors; `docs/operator.schema.json` is this. */
import * as z from 'zod';
import { operatorFile } from '../messages/operator.ts';

export function operatorSchema(): object {
  const schema = z.toJSONSchema(operatorFile, {
    io: 'input',
    unrepresentable: 'any',
    override: ({ zodSchema, jsonSchema }) => {
      // Hex of a given length is a check in code.
      if (zodSchema._zod.def.type === 'custom')
        Object.assign(jsonSchema, { type: 'string', pattern: '^0x(?:[0-9a-f]{2})*$' });
    },
  }) as { properties: Record<string, unknown> };
  return {
    ...schema,
    title: 'Coterie operator file',
    properties: { $schema: { type: 'string' }, ...schema.properties },
  };
}
