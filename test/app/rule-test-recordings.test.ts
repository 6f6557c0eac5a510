import { mkdir, mkdtemp, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { beforeAll, describe, expect, it } from 'vitest';
import { runTests } from '../../src/app/test-run.ts';

/** Twelve deletions of one session, ten seconds apart, with those of another between them. */
const lines = Array.from({ length: 12 }, (_, i) =>
  ['conv-1', 'conv-other'].map((session) =>
    JSON.stringify({
      id: `${session}-${i}`,
      time: new Date(Date.UTC(2026, 2, 1, 12, 0, i * 10)).toISOString(),
      session,
      agent: { id: 'cleaner' },
      tool: 'mail.delete',
      action: 'delete',
      outcome: 'ok',
    }),
  ),
).flat();

const RULES = `
kind: policy
idleEnd: 1h
---
id: many-deletes
title: Many deletions
severity: high
match: { action: delete }
within: session
measure: { deletes: count }
when: { watch: deletes > 5, pause: deletes > 10 }
---
id: many-payments
title: Many payments
severity: high
match: { action: pay }
within: session
measure: { payments: count }
when: { pause: payments > 2 }
`;

let folder = '';
beforeAll(async () => {
  const home = await mkdtemp(join(tmpdir(), 'firebreak-tests-'));
  folder = join(home, 'rules');
  await mkdir(join(folder, 'recordings'), { recursive: true });
  await writeFile(join(folder, 'rules.yaml'), RULES);
  await writeFile(join(folder, 'recordings/day.ndjson'), lines.join('\n'));
  await writeFile(join(folder, 'recordings/day.ndjson.gz'), gzipSync(lines.join('\n')));
  await writeFile(join(home, 'outside.ndjson'), lines.join('\n'));
  await symlink(join(home, 'outside.ndjson'), join(folder, 'recordings/link.ndjson'));
});

async function tested(events: string, expectation: string, head = '') {
  await writeFile(
    join(folder, 'all.test.yaml'),
    `${head}tests:\n  - name: a test\n    events: ${events}\n    expect: [${expectation}]\n`,
  );
  const { errors, results } = await runTests([folder]);
  return {
    errors: errors.map(({ line, col, message }) => `${line}:${col} ${message}`),
    failures: results.flatMap(({ outcome }) => outcome.failures.map(({ found }) => found)),
    times: results[0]?.outcome.timeline.map(({ sinceStartMs }) => sinceStartMs / 1000),
  };
}

describe('recorded events in a test', () => {
  it.each(['recordings/day.ndjson', 'recordings/day.ndjson.gz'])('%s gives those of the session', async (file) => {
    const { errors, failures, times } = await tested(
      `{ file: ${file}, session: conv-1 }`,
      '{ at: 6, level: watch, rule: many-deletes }, { at: 11, level: paused, rule: many-deletes }',
    );
    expect([errors, failures]).toEqual([[], []]);
    expect(times).toEqual([0, 10, 20, 30, 40, 50, 60, 70, 80, 90, 100, 110]);
  });

  it('stand between generated ones, in order of time', async () => {
    const recorded = '{ file: recordings/day.ndjson, session: conv-1, at: 5s }';
    const { failures, times } = await tested(
      `[{ event: { action: pay } }, ${recorded}, { repeat: 2, event: { action: pay } }]`,
      '{ at: 7, level: watch }, { at: 12, level: paused, rule: many-deletes }',
    );
    expect(failures).toEqual([]);
    expect(times).toEqual([0, 5, 15, 25, 35, 45, 55, 65, 75, 85, 95, 105, 115, 116, 117]);
  });

  it.each<[string, string]>([
    [
      '{ file: recordings/day.ndjson, session: payroll }',
      '3:53 session: the recording has no "payroll"; known: conv-1, conv-other',
    ],
    [
      '{ file: recordings/day.ndjson, session: conv-othr }',
      '3:53 session: the recording has no "conv-othr"; did you mean "conv-other"?',
    ],
    ['{ file: nothing.ndjson, session: conv-1 }', '3:21 file: found "nothing.ndjson"; there is no such file'],
    [
      '{ file: ../outside.ndjson, session: conv-1 }',
      '3:21 file: found "../outside.ndjson"; allowed: a file below the folder of the test',
    ],
    [
      '{ file: recordings/link.ndjson, session: conv-1 }',
      '3:21 file: found "recordings/link.ndjson"; allowed: a file below the folder of the test',
    ],
    ['{ file: recordings/day.ndjson }', '3:13 "tests.0.events.session" is missing; allowed: a string'],
  ])('%s is refused', async (events, message) => {
    expect((await tested(events, '{ end: clear }')).errors).toEqual([message]);
  });

  it('count: no expectation stands behind the last one', async () => {
    const { errors } = await tested('{ file: recordings/day.ndjson, session: conv-1 }', '{ at: 13, level: watch }');
    expect(errors).toEqual(['4:20 event 13 is expected to reach watch, and the test has 12 events']);
  });
});

describe('which rules judge', () => {
  const events = '[{ repeat: 6, event: { action: delete } }, { repeat: 3, event: { action: pay } }]';

  it.each<[string, string]>([
    ['', '{ at: 6, level: watch }, { at: 9, level: paused, rule: many-payments }'],
    ['rules: [many-deletes, many-payments]\n', '{ at: 6, level: watch }, { at: 9, level: paused }'],
    ['rules: [many-payments]\n', '{ never: watch }'],
    ['rule: many-deletes\n', '{ never: paused }'],
  ])('%j: %s', async (head, expectation) => {
    const { errors, failures } = await tested(events, expectation, head);
    expect(errors).toEqual([]);
    expect(failures).toEqual(
      head === 'rules: [many-payments]\n' ? ['event 9 raises the session to paused (many-payments)'] : [],
    );
  });

  it.each<[string, string, string]>([
    [
      'rules: [many-delets]\n',
      '{ end: clear }',
      '1:9 no usable rule "many-delets" among those that are checked; did you mean "many-deletes"?',
    ],
    ['rule: many-deletes\nrules: [many-payments]\n', '{ end: clear }', '1:1 the document: rule or rules, not both'],
    [
      'rule: many-deletes\n',
      '{ at: 6, level: watch, rule: many-payments }',
      '5:43 no usable rule "many-payments" among those that are checked; known: many-deletes',
    ],
  ])('%j with %s is refused', async (head, expectation, message) => {
    expect((await tested(events, expectation, head)).errors).toEqual([message]);
  });
});
