import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { deployed, resources } from '../cdk/deployment.ts';
import { ROOT } from './documents.ts';

const runbook = readFileSync(join(ROOT, 'docs', 'runbook.md'), 'utf8');
const headings = [...runbook.matchAll(/^## (.+)$/gm)].map(([, title = '']) => title);

test('every alarm that is deployed has its section in the runbook, and every section of an alarm its alarm', () => {
  const { templates } = deployed(3, 1, 'aws', {}, 1);
  const alarms = [...templates.values()].flatMap((template) => [
    ...resources(template, 'AWS::CloudWatch::Alarm').values(),
  ]);
  const named = alarms.map(({ Properties }) => {
    const [, section] = /docs\/runbook\.md, section (.+)\.$/.exec(String(Properties['AlarmDescription'])) ?? [];
    return section ?? `an alarm without a section: ${Properties['AlarmDescription']}`;
  });
  // The headings that are written as an alarm writes them; the others are for people.
  const ofAlarms = headings.filter((title) => /^[a-z-]+$/.test(title));
  expect([...new Set(named)].sort()).toEqual(ofAlarms.sort());
});

test('every section of an alarm says what it means, and what to do in order', () => {
  for (const section of runbook.split(/^## /m).slice(1)) {
    const [title = '', ...lines] = section.split('\n');
    if (!/^[a-z-]+$/.test(title)) continue;
    expect(lines.join('\n'), title).toContain('**Impact:**');
    expect(
      lines.filter((line) => /^\d\. /.test(line)).map((line) => Number(line[0])),
      title,
    ).toEqual(lines.filter((line) => /^\d\. /.test(line)).map((_, i) => i + 1));
  }
});
