import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FileSource } from '../../../src/app/backtest/file-source.ts';
import { Classroom } from '../../../src/app/learn/classroom.ts';
import { learn, type Room } from '../../../src/app/learn/learner.ts';
import { Lessons } from '../../../src/app/learn/lessons.ts';
import { Reading } from '../../../src/app/learn/reading.ts';
import { ReadingRoom, unpack } from '../../../src/app/learn/reading-room.ts';
import { Spool } from '../../../src/app/learn/spool.ts';
import { subjectOf } from '../../../src/app/learn/subject.ts';
import { loadRules } from '../../../src/app/rule-folder.ts';
import type { Remote } from '../../../src/app/threads.ts';
import { DEFAULT_BUDGETS } from '../../../src/domain/baseline.ts';
import { canonicalJson } from '../../../src/domain/canonical-json.ts';
import type { ActionEvent } from '../../../src/domain/event.ts';
import { FIELD_NAMES } from '../../../src/domain/fields.ts';
import { Intent } from '../../../src/domain/intent.ts';
import type { PolicyBody } from '../../../src/domain/rule.ts';
import { ruleOf } from '../../engine/harness.ts';
import { mulberry } from '../../integration/traffic.ts';

const ROOT = resolve(import.meta.dirname, '../../..');
const START_MS = Date.UTC(2026, 0, 5);
const SECRET = 'only-in-a-field-that-nothing-reads';

let folder: string;
let body: PolicyBody;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'firebreak-reading-'));
  const shipped = await loadRules([join(ROOT, 'rules/intents.yaml')]);
  body = { ...shipped.body, intents: [...shipped.body.intents!, ...FIELDS_READ], rules: RULES };
  await writeFile(file('bare.ndjson'), EVENTS.map((event) => JSON.stringify(event)).join('\n'));
  await writeFile(file('captured.ndjson'), EVENTS.map(captured).join('\n'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const file = (name: string) => join(folder, name);

/** One intent for every field and several kinds of mark: what is kept of an action has to be enough for each. */
const FIELDS_READ = [
  ...FIELD_NAMES.filter((name) => name !== 'attributes.NAME'),
  'attributes.host name',
  'attributes.x.y',
].map((name, i) =>
  Intent.parse({
    kind: 'intent',
    id: `field-${i}`,
    title: 'A field',
    match: { action: ['send', 'delete', 'list', 'read'] },
    mark: `${['distinct', 'novel'][i % 2]}(${name})`,
  }),
);
const RULES = [
  {
    id: 'deletes',
    match: { action: 'delete', 'resource.sensitivity|contains': 'a' },
    measure: { n: 'count', targets: 'distinct(target)', bytes: 'sum(bytes)' },
    when: { watch: 'n > baseline.n.p90 or targets > baseline.targets.p99 or bytes > baseline.bytes.p50' },
    baselineDefaults: { 'n.p90': 4, 'targets.p99': 4, 'bytes.p50': 4 },
  },
].map(ruleOf);

/** 150 sessions side by side, with every field, in any of them something that nothing reads. */
const EVENTS = Array.from({ length: 6000 }, (_, i): ActionEvent => {
  const random = mulberry(i);
  const n = Math.floor(random() * 150);
  const some = (count: number) => Math.floor(random() * count);
  return {
    id: `e-${i}`,
    time: new Date(START_MS + i * 1700 - some(3) * 100).toISOString(),
    source: `s-${some(3)}`,
    session: `session-${n}`,
    rootSession: `root-${some(4)}`,
    agent: { id: `a-${n % 30}`, role: ['mail', 'code'][n % 2]!, version: `v${some(3)}`, name: SECRET },
    task: ['inbox', 'build', 'review'][n % 3]!,
    principal: { id: `p-${n % 40}`, type: ['human', 'service'][some(2)]! },
    delegation: [`d-${some(5)}`],
    tenant: 'corp',
    tool: `t-${some(6)}`,
    toolServer: `server-${some(3)}`,
    action: (['read', 'read', 'send', 'delete', 'list', 'update', 'create', 'execute', 'pay'] as const)[some(9)]!,
    resource: { type: ['mail', 'agent'][some(2)]!, id: `r-${some(60)}`, sensitivity: ['a', 'b'][some(2)]! },
    ...(some(3) === 0 ? { targets: [`x-${some(20)}`, ' X-1 '] } : {}),
    ...(some(4) === 0 ? { outcome: (['ok', 'denied', 'error'] as const)[some(3)]! } : {}),
    affected: some(9) === 0 ? { odd: 1 } : some(5) + 1,
    usage: { tokens: some(50), costUsd: some(3) / 10 },
    amount: some(100),
    currency: ['EUR', 'USD'][some(2)]!,
    bytes: some(4000),
    rows: some(20),
    approval: { required: some(2) === 0, status: ['given', 'none'][some(2)]!, approver: `boss-${some(3)}` },
    purpose: `purpose-${some(4)}`,
    argsDigest: `d-${some(30)}`,
    prompt: { ref: SECRET },
    attributes: { 'host name': `h-${some(9)}`, 'x.y': some(4), other: SECRET },
  };
});

function captured(event: ActionEvent, offset: number): string {
  const { session } = event;
  const appendTime = new Date(START_MS + offset * 1700).toISOString();
  const record = {
    topicId: 'a'.repeat(64),
    partition: 0,
    offset: String(offset),
    appendTime,
    key: session,
    headers: {},
  };
  return JSON.stringify({ ...record, value: JSON.stringify(event) });
}

/** As threads have them, without the threads. */
function roomsOf(count: number, benign?: readonly string[]): (Remote<ReadingRoom> & Room)[] {
  return Array.from({ length: count }, (_, room) => {
    const here = new ReadingRoom({ body, room, rooms: count, benign });
    return new Proxy(here, {
      get:
        (_target, name: keyof ReadingRoom) =>
        async (...args: never[]) =>
          (here[name] as (...args: never[]) => unknown)(...args),
    }) as unknown as Remote<ReadingRoom> & Room;
  });
}

interface Run {
  rooms: number;
  benign?: readonly string[];
  spool?: Spool;
  leftOut?: readonly string[];
}

async function read(name: string, { rooms: count, benign, spool, leftOut = [] }: Run): Promise<string> {
  const rooms = roomsOf(count, benign);
  const source = await FileSource.open([file(name)], body.settings.delayMs);
  const reading = new Reading(source, rooms, { spool, delayMs: body.settings.delayMs });
  await reading.read(() => {});
  expect(reading.actions).toBe(EVENTS.length);
  for (const room of rooms) await room.begin(new Set(leftOut));
  return canonicalJson((await learn(rooms, subjectOf(body), DEFAULT_BUDGETS)).baseline);
}

/** Of the whole events, none of them written down in between. */
async function direct(isLearned: (session: string) => boolean = () => true): Promise<string> {
  const subject = subjectOf(body);
  const lessons = new Lessons(subject, body.settings, (session) => (isLearned(session) ? session : undefined));
  let clockMs = 0;
  for (const event of EVENTS) {
    clockMs = Math.max(clockMs, Date.parse(event.time));
    lessons.add(event, clockMs);
  }
  const room = new Classroom(subject);
  for (const lesson of lessons.all) room.add(lesson);
  room.begin(new Set());
  return canonicalJson((await learn([room], subject, DEFAULT_BUDGETS)).baseline);
}

describe('a log that is read in parts', { timeout: 60_000 }, () => {
  it('teaches what the whole events teach, with any number of rooms', async () => {
    const expected = await direct();
    expect(JSON.parse(expected).intents['field-0'].global.events.mu).toBeGreaterThan(0.01);
    for (const rooms of [1, 2, 3]) expect(await read('bare.ndjson', { rooms }), `${rooms} rooms`).toBe(expected);
    expect(await read('captured.ndjson', { rooms: 2 })).toBe(expected);
  });

  it('teaches nothing of sessions that are not to be learned from', async () => {
    const isOdd = (session: string) => Number(session.at(-1)) % 2 === 1;
    const sessions = [...new Set(EVENTS.map(({ session }) => session))];
    const expected = await direct(isOdd);
    expect(await read('bare.ndjson', { rooms: 2, benign: sessions.filter(isOdd) })).toBe(expected);
    const leftOut = sessions.filter((session) => !isOdd(session));
    expect(await read('bare.ndjson', { rooms: 2, leftOut })).toBe(expected);
  });

  it('is written down without what no intent and no rule reads', async () => {
    const spool = await Spool.open(file('spool'), {});
    await read('bare.ndjson', { rooms: 1, spool });
    await spool.close();
    const again = await Spool.open(file('spool'), {});
    let text = '';
    for await (const packed of again.blocks()) text += Buffer.from(unpack(packed).bytes).toString('utf8');
    await again.close();
    expect(text).toContain('purpose-1');
    expect(text).not.toContain(SECRET);
    expect(await readFile(file('bare.ndjson'), 'utf8')).toContain(SECRET);
  });

  it.each(['bare.ndjson', 'captured.ndjson'])('goes on behind whatever of %s was written down', async (name) => {
    const whole = await Spool.open(file(`whole-${name}`), {});
    const expected = await read(name, { rooms: 1, spool: whole });
    await whole.close();
    const bytes = await readFile(file(`whole-${name}/read.spool`));
    for (const share of [0.5, 0.9, 1]) {
      await writeFile(file(`whole-${name}/read.spool`), bytes.subarray(0, share * bytes.length));
      const spool = await Spool.open(file(`whole-${name}`), {});
      expect(spool.position).toMatchObject({ line: expect.any(Number) });
      expect(await read(name, { rooms: 2, spool })).toBe(expected);
      await spool.close();
      expect((await readFile(file(`whole-${name}/read.spool`))).length).toBeGreaterThan(0.9 * bytes.length);
    }
  });

  it('is refused where a line before the block is another one', async () => {
    const lines = (await readFile(file('bare.ndjson'), 'utf8')).split('\n');
    await writeFile(file('changed.ndjson'), lines.join('\n'));
    const spool = await Spool.open(file('changed'), {});
    await read('changed.ndjson', { rooms: 1, spool });
    await spool.close();
    lines[10] = lines[10]!.replace('"tenant":"corp"', '"tenant":"core"');
    await writeFile(file('changed.ndjson'), lines.join('\n'));
    const again = await Spool.open(file('changed'), {});
    await expect(read('changed.ndjson', { rooms: 1, spool: again })).rejects.toThrow(
      'not what the interrupted run has read',
    );
    await writeFile(file('changed.ndjson'), lines.slice(0, 20).join('\n'));
    await expect(read('changed.ndjson', { rooms: 1, spool: again })).rejects.toThrow(
      'not what the interrupted run has read',
    );
    await again.close();
  });
});
