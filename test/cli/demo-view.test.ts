import { resolve } from 'node:path';
import pc from 'picocolors';
import { beforeAll, describe, expect, it } from 'vitest';
import { replayPolicy } from '../../src/app/replay.ts';
import { loadPolicyFolder } from '../../src/app/rule-folder.ts';
import { wrapped } from '../../src/cli/columns.ts';
import { Board } from '../../src/cli/demo-board.ts';
import { demoSummary } from '../../src/cli/demo-summary.ts';
import { decision, frame } from '../../src/cli/demo-view.ts';
import type { PolicyBody } from '../../src/domain/rule.ts';
import { replayed } from '../app/recordings.ts';

const root = resolve(import.meta.dirname, '../..');
const plain = pc.createColors(false);
const colored = pc.createColors(true);
// biome-ignore lint/suspicious/noControlCharactersInRegex: escapes are what is looked for
const PAINT = /\x1b\[\d+m/g;

/** The day until noon, and the whole day. */
const noon = new Board();
const evening = new Board();
let body: PolicyBody;
beforeAll(async () => {
  body = await loadPolicyFolder(resolve(root, 'rules'));
  const story = resolve(root, 'fixtures/story/events.ndjson');
  await replayed([story], { policy: replayPolicy(body), capturedBy: 'given', end: 'open' }, (one) => {
    if (one.record.appendMs < Date.UTC(2026, 2, 2, 12)) noon.note(one);
    evening.note(one);
  });
});

describe('the picture', () => {
  it.each([40, 45, 60, 72, 80, 100, 120, 200])('fits %d columns and keeps its columns aligned', (columns) => {
    for (const board of [noon, evening, new Board()]) {
      const lines = frame(board, 0.4, { columns, rows: 40 }, plain);
      for (const line of lines) expect(line.length, line).toBeLessThanOrEqual(columns);
      const table = lines.slice(3, 4 + board.rows.size);
      const level = table[0]!.indexOf('LEVEL');
      for (const row of table.slice(1)) expect(row.slice(level).trim()).toMatch(/^(clear|watch|PAUSED|KILLED)$/);
    }
  });

  it.each([10, 16, 24, 50])('fits %d rows, the newest decision last', (rows) => {
    const lines = frame(evening, 1, { columns: 80, rows }, plain);
    expect(lines.length).toBeLessThan(rows);
    if (rows > 16) expect(lines.at(-1)).toMatch(/15:32 {2}clear {3}support-desk/);
  });

  it('is the same with colours, but for the colours', () => {
    const screen = { columns: 80, rows: 24 };
    const painted = frame(noon, 0.4, screen, colored);
    expect(painted.join('')).not.toBe(painted.join('').replace(PAINT, ''));
    expect(painted.map((line) => line.replace(PAINT, ''))).toEqual(frame(noon, 0.4, screen, plain));
  });

  it('shows who is stopped at the end of the bar, and honest work below it', () => {
    const rows = [...evening.rows.values()];
    expect(rows.filter(({ level }) => level === 'paused' || level === 'killed').map(({ agent }) => agent)).toEqual([
      'mail-helper',
      'it-helpdesk',
      'report-builder',
      'deploy-bot',
    ]);
    for (const { agent, level, risk } of rows) expect(risk === 1, agent).toBe(level === 'paused' || level === 'killed');
  });

  it('lets no text of an event move the cursor', () => {
    const change = { atMs: 0, to: 'paused', agent: 'a\x1b[2J', rule: 'r', reason: 'x\r\ny\u202e' } as const;
    // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
    expect(decision(change, 80, plain)).not.toMatch(/[\x00-\x1f\u202e]/);
  });
});

describe('the summary', () => {
  it.each([40, 60, 80, 120])('fits %d columns', (width) => {
    for (const line of demoSummary(evening, new Map(), width, plain).split('\n')) {
      expect(line.length, line).toBeLessThanOrEqual(width);
    }
  });

  it('says what was stopped, what that saved, and who was left alone', () => {
    const text = demoSummary(evening, new Map(body.rules.map(({ id, title }) => [id, title])), 500, plain);
    for (const part of [
      '8 agents took 2,679 actions for 6 people.',
      'Four agents had to be stopped',
      '■ mail-helper, paused at 10:44, killed at 10:48',
      'Many small deletions: 21 objects deleted in 21 calls on 21 targets within 10 min',
      'Stopped after 159 actions. In the recording nobody did, and it went on: 392 deletions.',
      '■ it-helpdesk, paused at 13:27',
      'it went on: 2 secrets read and 23 refused or failed.',
      '■ support-desk, 769 actions, watched from 13:51 to 15:32, never held up',
      '■ code-reviewer, 368 actions',
      'Stopping saved 890 actions in all: 392 deletions',
    ]) {
      expect(text).toContain(part);
    }
  });

  it('breaks lines between words', () => {
    expect(wrapped('one two three', 8, 1)).toEqual([' one two', ' three']);
    expect(wrapped('abcdefghijk l', 8, 1)).toEqual([' abcdefghijk', ' l']);
  });
});
