import { createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { openRecording, type RecordingItem } from '../../src/app/recording.ts';
import { START_MS } from '../engine/harness.ts';
import { DELAY_MS, eventLine, withFiles } from './recordings.ts';

async function itemsOf(content: string | Buffer): Promise<{ items: RecordingItem[]; topicId: string | undefined }> {
  return withFiles([content], async ([path]) => {
    const recording = await openRecording(path!, DELAY_MS);
    const items: RecordingItem[] = [];
    for await (const item of recording.items()) items.push(item);
    await recording.close();
    return { items, topicId: recording.survey?.topicId };
  });
}

function shown(item: RecordingItem): unknown[] {
  if (item.type === 'policy') return ['policy', item.hash];
  const { offset, appendMs, body } = item.record;
  return [item.line, offset, appendMs - START_MS, body.type === 'refused' ? body.refusal : body.type];
}

describe('bare events', () => {
  it('are one partition: offset is the line, append time the latest event so far', async () => {
    const { items } = await itemsOf([eventLine(0), eventLine(5), eventLine(2), '', eventLine(6)].join('\n'));
    expect(items.map(shown)).toEqual([
      [1, 0, 0, 'action'],
      [2, 1, 5000, 'action'],
      [3, 2, 5000, 'action'],
      [5, 4, 6000, 'action'],
    ]);
  });

  it('have the hash of their content as topic id, compressed or not', async () => {
    const content = `${eventLine(0)}\n${eventLine(1)}\n`;
    const expected = createHash('sha256').update(content).digest('hex');
    expect((await itemsOf(content)).topicId).toBe(expected);
    expect((await itemsOf(gzipSync(content))).topicId).toBe(expected);
    expect((await itemsOf(content.replace('e-1', 'e-2'))).topicId).not.toBe(expected);
  });

  it('may be structured CloudEvents', async () => {
    const wrapped = JSON.stringify({
      specversion: '1.0',
      type: 'dev.firebreak.action.v1',
      data: JSON.parse(eventLine(3)),
    });
    expect((await itemsOf(`${eventLine(0)}\n${wrapped}\n`)).items.map(shown)[1]).toEqual([2, 1, 3000, 'action']);
  });

  it.each([
    ['not JSON', '{', 'not_json'],
    ['no session', eventLine(9, { session: undefined }), 'invalid_event'],
    ['a placeholder session', eventLine(1, { session: 'default' }), 'placeholder_session'],
    ['100 KB', eventLine(1, { more: 'x'.repeat(100_000) }), 'too_large'],
    ['5 MiB', 'x'.repeat(5 * 1024 * 1024), 'too_large'],
  ])('that cannot be used are refused with their line: %s', async (_, line, refusal) => {
    const { items } = await itemsOf([eventLine(0), line, eventLine(1)].join('\n'));
    expect(items.map(shown).map(([at, , , what]) => [at, what])).toEqual([
      [1, 'action'],
      [2, refusal],
      [3, 'action'],
    ]);
  });

  it('do not let an unusable line move the clock', async () => {
    const broken = eventLine(500, { session: 7 });
    expect((await itemsOf([broken, eventLine(0), broken, eventLine(1)].join('\n'))).items.map(shown)).toEqual([
      [1, 0, 0, 'invalid_event'],
      [2, 1, 0, 'action'],
      [3, 2, 0, 'invalid_event'],
      [4, 3, 1000, 'action'],
    ]);
  });

  it('may be as late as the policy allows, and no later: the message says how to mend it', async () => {
    const late = (byS: number) => [eventLine(4000), eventLine(4000 - byS)].join('\n');
    expect((await itemsOf(late(3600))).items.length).toBe(2);
    await expect(itemsOf(late(3601))).rejects.toThrow(
      /file-0.ndjson:2: the event is of 2026-01-05T09:06:39.000Z, after one of 2026-01-05T10:06:40.000Z.* 1h .*jq -sc 'sort_by/,
    );
  });

  it.each([
    ['nothing', '', /file is empty/],
    ['another kind of file', '<html>\n</html>\n', /:1: no line is an action event; the first: value is not JSON/],
    ['another kind of JSON', '{"a":1}\n', /:1: no line is an action event; the first: id: found nothing/],
  ])('are refused as a file: %s', async (_, content, message) => {
    await expect(itemsOf(content)).rejects.toThrow(message);
  });
});
