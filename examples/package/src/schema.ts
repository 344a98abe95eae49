// The schema of a message, as JSON Schema.
import { CATALOGUE } from 'coterie/messages';
import { toJSONSchema } from 'zod';

const { payload, description } = CATALOGUE.Start;
console.log(description);
console.log(JSON.stringify(toJSONSchema(payload, { unrepresentable: 'any' })));
