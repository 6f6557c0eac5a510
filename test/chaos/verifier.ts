// node verifier.js MANIFEST: a process of its own that judges a run by what it left in Kafka and Redis. It knows the naive
// engine, and `step` in a single thread that never fails; nothing of what runs in production around them.
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { Redis } from 'ioredis';
import { Kafka, logLevel } from 'kafkajs';
import { canonicalJson } from '../../src/domain/canonical-json.ts';
import type { Command } from '../../src/domain/command.ts';
import type { ActionEvent } from '../../src/domain/event.ts';
import type { Verdict } from '../../src/domain/output.ts';
import type { RawRecord } from '../../src/domain/record.ts';
import { compilePolicy } from '../../src/engine/plan/policy.ts';
import { decodeSession } from '../../src/engine/session/codec.ts';
import { keyringOf } from '../../src/formats/signature.ts';
import { judgeSession, NOTHING_AWAITED } from '../properties/naive-engine.ts';
import type { Arrived } from '../properties/naive-measures.ts';
import { outcomeOf } from '../simulation/oracle.ts';
import type { Findings, Manifest } from './manifest.ts';
import { readTopic } from './read-topic.ts';
import { POISON_HEADER } from './traffic.ts';

const SHOWN_MAX = 20;
const POLICY_TYPE = 'dev.firebreak.policy.activated.v1';

const manifest: Manifest = JSON.parse(readFileSync(process.argv[2]!, 'utf8'), (key, value) =>
  key === 'withinMs' && value === null ? Number.POSITIVE_INFINITY : value,
);
const kafka = new Kafka({
  brokers: manifest.brokers,
  clientId: 'verifier',
  logLevel: logLevel.NOTHING,
  retry: { retries: 30, maxRetryTime: 1000 },
});
const faults: string[] = [];
const topic = (name: string) => readTopic(kafka, `${manifest.topicPrefix}${name}`);
const log = await topic('actions');
const commands = [...(await topic('commands')).values()].flat();
const verdicts = [...(await topic('verdicts')).values()].flat();
const quarantined = [...(await topic('quarantine')).values()].flat();
const state = await readState();
const topicId = [...state.values()][0]?.topicId ?? '';
for (const [partition, records] of log) log.set(partition, readPart(partition, records));

const judged = judgeNaively();
compareCommands();
compareVerdicts();
compareLevels();
compareQuarantine();
compareWithReplay();
const found = findings();
process.stdout.write(`${JSON.stringify(found)}\n`);
process.exit(0);

// ── What the log says, by the naive engine ───────────────────────────────────────────────────────────────────────

interface Expected {
  levels: Map<string, string>;
  /** Id → the command as text. */
  commands: Map<string, string>;
  actions: number;
  poison: string[];
}

function judgeNaively(): Expected {
  const expected: Expected = { levels: new Map(), commands: new Map(), actions: 0, poison: [] };
  for (const [partition, records] of log) {
    for (const [session, arrivals] of arrivalsOf(partition, records, expected)) {
      const { levels, commands: wanted } = judgeSession(arrivals, NOTHING_AWAITED);
      expected.levels.set(session, levels.at(-1)!);
      for (const text of wanted) {
        const [action, rule, offset] = text.split(' ');
        const cause = [topicId, partition, offset, session, rule, action].join('\n');
        const id = `cmd-${createHash('sha256').update(cause).digest('hex').slice(0, 32)}`;
        expected.commands.set(id, `${session} ${text}`);
      }
    }
  }
  return expected;
}

function arrivalsOf(partition: number, records: readonly RawRecord[], expected: Expected): Map<string, Arrived[]> {
  const arrivals = new Map<string, Arrived[]>();
  let policy: Manifest['policies'][number] | undefined;
  let clockMs = 0;
  for (const { offset, appendMs, headers, value } of records) {
    clockMs = Math.max(clockMs, appendMs);
    const type = headers['ce_type'] === undefined ? undefined : String(headers['ce_type']);
    if (headers[POISON_HEADER] !== undefined) expected.poison.push(`${partition}/${offset}`);
    else if (type === POLICY_TYPE) {
      const { hash } = JSON.parse(String(value)) as { hash: string };
      policy = manifest.policies.find((one) => one.hash === hash);
    } else if (type === undefined) {
      expected.actions++;
      if (policy === undefined) continue;
      const event = JSON.parse(String(value)) as ActionEvent;
      const before = arrivals.get(event.session);
      const arrived = { offset, appendMs, clockMs, policy: policy.naive, event };
      if (before) before.push(arrived);
      else arrivals.set(event.session, [arrived]);
    }
  }
  return arrivals;
}

// ── What is there ────────────────────────────────────────────────────────────────────────────────────────────────

/** What is behind the state was written by the owner itself, when it stopped. */
function readPart(partition: number, records: RawRecord[]): RawRecord[] {
  const next = state.get(partition)?.next ?? -1;
  const mustReach = manifest.mustReach[partition]!;
  if (next < mustReach) faults.push(`partition ${partition}: state at ${next}, the log was at ${mustReach}`);
  return next < mustReach ? records : records.filter(({ offset }) => offset < next);
}

interface StoredPartition {
  topicId: string;
  next: number;
  state: { accounting: Record<string, number | Record<string, number>> };
  sessions: Map<string, Buffer>;
}

async function readState(): Promise<Map<number, StoredPartition>> {
  const found = new Map<number, StoredPartition>();
  for (const port of manifest.redisPorts) {
    const redis = new Redis(port, '127.0.0.1');
    for (const key of await redis.keys(`${manifest.keyPrefix}:{*}:m`)) {
      const partition = Number(/\{(\d+)-/.exec(key)![1]);
      const [next, body] = await redis.hmget(key, 'next', 'partition');
      if (next == null || body == null) continue;
      const sessions = await redis.hgetallBuffer(key.replace(/m$/, 's'));
      const { topicId: of, state: held } = JSON.parse(body);
      found.set(partition, {
        topicId: of,
        next: Number(next),
        state: held,
        sessions: new Map(Object.entries(sessions)),
      });
    }
    redis.disconnect();
  }
  return found;
}

// ── Both beside each other ───────────────────────────────────────────────────────────────────────────────────────

function compareCommands(): void {
  const said = new Map<string, string>();
  // What people decide, and the silence of people, the naive engine knows nothing of: the replay below does.
  const decided = decidedSessions();
  for (const { value } of commands) {
    const { id, session, action, rule, position } = JSON.parse(String(value)) as Command;
    const text = `${session} ${action} ${rule} ${position.offset}`;
    if (said.has(id) && said.get(id) !== text) faults.push(`one id, two commands: ${id}: ${said.get(id)} / ${text}`);
    said.set(id, text);
  }
  const isDecided = (text: string) => decided.has(text.split(' ')[0]!);
  for (const [id, text] of judged.commands) {
    if (said.get(id) !== text && !isDecided(text)) faults.push(`lost command: ${id} ${text}`);
  }
  for (const [id, text] of said) {
    if (!judged.commands.has(id) && !isDecided(text)) faults.push(`extra command: ${id} ${text}`);
  }
}

function decidedSessions(): Set<string> {
  const decided = commands
    .map(({ value }) => JSON.parse(String(value)) as Command)
    .filter(({ action, rule }) => action === 'resume' || rule.startsWith('firebreak:'));
  return new Set(decided.flatMap(({ session }) => session ?? []));
}

/** A newcomer that reads only the latest verdict of each session must find its level. */
function compareVerdicts(): void {
  const decided = decidedSessions();
  const latest = new Map<string, string>();
  for (const { key, value } of verdicts) latest.set(String(key), (JSON.parse(String(value)) as Verdict).level);
  for (const [session, level] of judged.levels) {
    if (decided.has(session)) continue;
    if (level === 'killed' && latest.get(`${session}#killed`) !== 'killed')
      faults.push(`no verdict of the kill of ${session}`);
    if (level === 'paused' && latest.get(session) !== 'paused')
      faults.push(`verdict of ${session}: ${latest.get(session)}, not paused`);
  }
}

function compareLevels(): void {
  const decided = decidedSessions();
  for (const { sessions } of state.values()) {
    for (const [session, bytes] of sessions) {
      const { level } = decodeSession(session, bytes);
      const wanted = judged.levels.get(session);
      if (level !== wanted && !decided.has(session))
        faults.push(`level of ${session}: found ${level}, wanted ${wanted}`);
    }
  }
}

function compareQuarantine(): void {
  const there = new Set(
    quarantined.map(({ headers }) => {
      return `${headers['__connect.errors.partition']}/${headers['__connect.errors.offset']}`;
    }),
  );
  for (const place of judged.poison) if (!there.delete(place)) faults.push(`not in quarantine: ${place}`);
  for (const place of there) faults.push(`in quarantine without need: ${place}`);
}

/** Byte for byte what one process comes to that reads the log once and never fails; every record accounted for. */
function compareWithReplay(): void {
  const plans = manifest.policies.map(({ hash, body }) => compilePolicy(hash, body));
  const wantedIds = new Set<string>();
  for (const [partition, records] of log) {
    const stored = state.get(partition);
    if (stored === undefined) continue; // told by readPart
    const home = { partition, partitions: manifest.partitions };
    const wanted = outcomeOf(topicId, home, records, plans, keyringOf(manifest.trusted));
    for (const id of wanted.commands) wantedIds.add(id);
    if (canonicalJson(stored.state) !== canonicalJson(JSON.parse(wanted.partition)))
      faults.push(`state of partition ${partition}: ${canonicalJson(stored.state)}, replayed: ${wanted.partition}`);
    const ids = new Set([...stored.sessions.keys(), ...Object.keys(wanted.sessions)]);
    for (const id of ids) {
      if (stored.sessions.get(id)?.toString('hex') !== wanted.sessions[id])
        faults.push(`bytes of ${id} are not those of a replay`);
    }
    const { findings: _, refused, ...counts } = stored.state.accounting;
    const all = [...Object.values(counts), ...Object.values(refused as Record<string, number>)] as number[];
    const accounted = all.reduce((sum, count) => sum + count, 0);
    if (accounted !== records.length)
      faults.push(`partition ${partition}: ${records.length} records, ${accounted} accounted for`);
  }
  const ids = new Set(commands.map(({ value }) => (JSON.parse(String(value)) as Command).id));
  for (const id of wantedIds) if (!ids.has(id)) faults.push(`lost command: ${id} of the replay`);
  for (const id of ids) if (!wantedIds.has(id)) faults.push(`extra command: ${id}, none of the replay`);
}

function findings(): Findings {
  const appendedMs = new Map<string, number>();
  for (const [partition, records] of log)
    for (const { offset, appendMs } of records) appendedMs.set(`${partition}/${offset}`, appendMs);
  const firstMs = new Map<string, number>();
  for (const { value, appendMs } of commands) {
    const { id, position } = JSON.parse(String(value)) as Command;
    const delayMs = appendMs - (appendedMs.get(`${position.partition}/${position.offset}`) ?? appendMs);
    firstMs.set(id, Math.min(delayMs, firstMs.get(id) ?? Number.POSITIVE_INFINITY));
  }
  const delays = [...firstMs.values()].sort((a, b) => a - b);
  const at = (share: number) => delays[Math.min(delays.length - 1, Math.floor(delays.length * share))] ?? 0;
  return {
    faults: faults.slice(0, SHOWN_MAX),
    faultCount: faults.length,
    records: [...log.values()].reduce((sum, { length }) => sum + length, 0),
    actions: judged.actions,
    sessions: judged.levels.size,
    poison: judged.poison.length,
    commands: { expected: judged.commands.size, distinct: firstMs.size, published: commands.length },
    delayMs: { p50: at(0.5), p99: at(0.99), max: at(1) },
  };
}
