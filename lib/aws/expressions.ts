/** Conditions of the port as DynamoDB expressions. Names and values always travel as placeholders. */
import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import type { Condition } from '../ports.ts';
import { encodeAttribute } from './codec.ts';
import { PARTITION_KEY } from './tables.ts';

export interface Expression {
  readonly ConditionExpression: string;
  readonly ExpressionAttributeNames: Record<string, string>;
  readonly ExpressionAttributeValues?: Record<string, AttributeValue>;
}

/** An item is there exactly if its partition key is. */
export function conditionExpression(condition: Condition): Expression {
  const names = { '#pk': PARTITION_KEY };
  switch (condition.kind) {
    case 'absent':
      return { ConditionExpression: 'attribute_not_exists(#pk)', ExpressionAttributeNames: names };
    case 'present':
      return { ConditionExpression: 'attribute_exists(#pk)', ExpressionAttributeNames: names };
    case 'equals':
      return { ConditionExpression: '#a = :a', ...comparison(condition, {}) };
    case 'absentOrEquals':
      return { ConditionExpression: 'attribute_not_exists(#pk) OR #a = :a', ...comparison(condition, names) };
  }
}

function comparison(
  { attribute, value }: Extract<Condition, { kind: 'equals' | 'absentOrEquals' }>,
  names: Readonly<Record<string, string>>,
): Omit<Expression, 'ConditionExpression'> {
  return {
    ExpressionAttributeNames: { ...names, '#a': attribute },
    ExpressionAttributeValues: { ':a': encodeAttribute(attribute, value) },
  };
}
