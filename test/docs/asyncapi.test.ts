import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { CATALOGUE, type Entry } from '../../lib/messages/catalogue.ts';
import { asyncApiErrors, asyncApiText } from '../../scripts/asyncapi.ts';

const file = readFileSync(join(import.meta.dirname, '..', '..', 'docs', 'asyncapi.json'), 'utf8');

interface Document {
  readonly channels: Record<string, { address: string; messages: Record<string, unknown> }>;
  readonly operations: Record<string, { channel: { $ref: string } }>;
  readonly components: { messages: Record<string, { payload: { required: string[] } }> };
}

describe('docs/asyncapi.json', () => {
  test('is what the catalogue says (npm run asyncapi writes it)', () => {
    expect(file).toBe(asyncApiText());
  });

  test('is valid to the specification’s own parser, which finds a document that is not', async () => {
    expect(await asyncApiErrors(file)).toEqual([]);
    expect(await asyncApiErrors(file.replace('#/channels/Start', '#/channels/Nowhere'))).not.toEqual([]);
    expect(await asyncApiErrors(file.replace('"asyncapi": "3.0.0"', '"asyncapi": "9"'))).not.toEqual([]);
  });

  test('has every message, and an operation for each role that consumes it', () => {
    const { channels, operations, components } = JSON.parse(file) as Document;
    const said = Object.values(channels).flatMap(({ messages }) => Object.keys(messages));
    expect(said.sort()).toEqual(Object.keys(CATALOGUE).sort());
    const consumed = Object.entries<Entry>(CATALOGUE).flatMap(([name, { consumers }]) =>
      consumers.map((role) => `${role}.${name}`),
    );
    expect(Object.keys(operations).sort()).toEqual(consumed.sort());
    for (const [name, { payload }] of Object.entries(components.messages)) expect(payload.required).toEqual([name]);
  });
});
