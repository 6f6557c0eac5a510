import { describe, expect, it } from 'vitest';
import type { Outcome } from '../../../src/app/backtest/outcome.ts';
import type { BySide, Side } from '../../../src/app/backtest/sides.ts';
import { replayPolicy } from '../../../src/app/replay.ts';
import { ReplaySummary } from '../../../src/app/replay-summary.ts';
import { ACTIONS } from '../../../src/domain/event.ts';
import type { Finding } from '../../../src/domain/finding.ts';
import { formatInstant } from '../../../src/domain/instant.ts';
import { type Level, levelRank } from '../../../src/domain/level.ts';
import { type PolicyBody, PolicySettings } from '../../../src/domain/rule.ts';
import { encodeRecordedLine } from '../../../src/formats/recorded-line.ts';
import { ruleOf, START_MS } from '../../engine/harness.ts';
import { mulberry } from '../../integration/traffic.ts';
import { replayed, withFiles } from '../recordings.ts';
import { backtested } from './world.ts';

/** Short times, so that sessions end, are forgotten and come back within the stream. */
const SETTINGS = PolicySettings.parse({
  idleEndMs: 120_000,
  watchHoldMs: 30_000,
  killMarkMs: 900_000,
  delayMs: 60_000,
});
const DELETES = { id: 'deletes', match: { action: 'delete', outcome: 'ok' } };
const SPEND = { id: 'spend', match: { action: 'pay' }, within: 'session', measure: { paid: 'sum(amount)' } };
const PACE = { id: 'pace', within: '1m', measure: { calls: 'attempts', tools: 'distinct(target)' } };
/** What silence completes, while other sessions go on. */
const UNANSWERED = {
  id: 'unanswered',
  match: { action: ['admin', 'auth'] },
  measure: { open: { sequence: [{ match: { action: 'admin' } }, { missing: { action: 'auth' }, within: '90s' }] } },
};
const old: PolicyBody = {
  format: 1,
  settings: SETTINGS,
  rules: [
    ruleOf({ ...DELETES, when: { watch: 'n > 4', pause: 'n > 9', kill: 'n > 30' } }),
    ruleOf({
      ...SPEND,
      when: { watch: 'paid > 300', pause: 'paid > 900' },
      exceptions: [
        {
          name: 'one-agent',
          match: { 'agent.id': 'agent-1' },
          atMost: 'watch',
          reason: 'known',
          owner: 'team',
          expires: '2027-01-01',
        },
      ],
    }),
    ruleOf({ ...PACE, mode: 'shadow', when: { watch: 'calls > 5', kill: 'calls > 20 and tools > 3' } }),
    ruleOf({ ...UNANSWERED, when: { watch: 'open > 0', pause: 'open > 1' } }),
  ],
};
const changed: PolicyBody = {
  ...old,
  rules: [
    ruleOf({ ...DELETES, when: { watch: 'n > 2', pause: 'n > 12', kill: 'n > 20' } }),
    ruleOf({ ...PACE, when: { watch: 'calls > 8', kill: 'calls > 120 / max(0, tools - 3)' } }),
    ruleOf({ id: 'denials', match: { outcome: 'denied' }, within: '2m', when: { pause: 'n > 3' } }),
  ],
};
const rules: BySide<PolicyBody> = { old, new: changed };

interface Timed {
  session: string;
  appendMs: number;
  value: string;
}

/** Late, repeated, unusable and impossible events of many sessions, with pauses in which everything is forgotten. */
function* stream(events: number, seed: number): Generator<Timed> {
  const random = mulberry(seed);
  let nowMs = START_MS;
  let last: Timed | undefined;
  for (let i = 0; i < events; i++) {
    nowMs += random() < 0.004 ? 200_000 : Math.floor(random() * 900);
    const n = Math.floor(random() ** 2 * 40);
    const session = random() < 0.01 ? 'null' : `sitzung-ü-${n}`;
    const lateMs = random() < 0.1 ? Math.floor(random() * 50_000) : 0;
    const event = {
      id: `e-${i}`,
      time: formatInstant(nowMs - lateMs),
      session,
      agent: { id: `agent-${n % 5}`, ...(n % 3 === 0 ? {} : { role: `role-${n % 3}` }) },
      tool: 'tool',
      action: n % 4 === 0 ? 'delete' : ACTIONS[Math.floor(random() * ACTIONS.length)],
      resource: { id: `thing-${Math.floor(random() * 8)}` },
      outcome: random() < 0.15 ? 'denied' : 'ok',
      amount: Math.floor(random() * 90),
    };
    const made = { session, appendMs: nowMs - lateMs, value: random() < 0.01 ? '{"id":' : JSON.stringify(event) };
    yield made;
    if (last !== undefined && random() < 0.02) yield last;
    last = made;
  }
}

/** What replay says under one policy: the first rise of each session to each level, and its counts. */
async function replayedBy(body: PolicyBody, paths: readonly string[]) {
  const summary = new ReplaySummary();
  const rises = new Map<string, Finding>();
  const commands: string[] = [];
  const options = { policy: replayPolicy(body), capturedBy: 'given', end: 'closed' } as const;
  await replayed(paths, options, (one) => {
    summary.note(one);
    for (const output of one.outputs) {
      if (output.topic === 'commands') {
        const { session, action, rule, triggerEventId, time, reason, score, threshold } = output.command;
        const command = [session, action, rule, triggerEventId, time, reason, score, threshold].join(' | ');
        if (!commands.some((known) => known.startsWith(`${session} | ${action} |`))) commands.push(command);
      }
      if (output.topic !== 'findings' || output.finding.code !== 'level_changed') continue;
      const { session, level, rule } = output.finding;
      const key = `${session} ${level!.to}`;
      if (rule !== undefined && !rises.has(key)) rises.set(key, output.finding);
    }
  });
  return { summary, rises, commands: commands.sort() };
}

function commandsOf(session: string, { causes }: Outcome): string[] {
  return (['paused', 'killed'] as const).flatMap((level) => {
    const cause = causes[level];
    if (cause === undefined) return [];
    const { rule, triggerEventId, time, reason, score, threshold } = cause;
    const action = level === 'paused' ? 'pause' : 'kill';
    return [[session, action, rule, triggerEventId, time, reason, score, threshold].join(' | ')];
  });
}

async function expectLikeReplay(paths: readonly string[], shards: number): Promise<void> {
  const { report, sessions } = await backtested(paths, rules, { shards });
  for (const side of ['old', 'new'] as Side[]) {
    const { summary, rises, commands } = await replayedBy(rules[side]!, paths);
    expect(commands.length).toBeGreaterThan(8);
    const silent = [...rises.values()].filter(
      ({ rule, reason }) => rule === 'unanswered' && reason.includes('nothing came'),
    );
    expect(silent.length > 0).toBe(side === 'old');
    expect(sessions.flatMap(({ session, outcome }) => commandsOf(session, outcome[side]!)).sort()).toEqual(commands);
    const found = sessions.flatMap(({ session, outcome }) =>
      Object.entries(outcome[side]!.causes).map(([level, { triggerEventId, rule, time }]) =>
        [session, level, triggerEventId, rule, time].join(' '),
      ),
    );
    const expected = [...rises.values()].map(({ session, level, triggerEventId, rule, time }) =>
      [session, level!.to, triggerEventId, rule, time].join(' '),
    );
    expect(found.sort()).toEqual(expected.sort());
    expect(report.levels[side]).toEqual(summary.levels);
    expect([report.sessions, report.coverage.events]).toEqual([summary.sessions, summary.actions]);
    const { judged, repeated, afterKill } = report.actions[side]!;
    const names = ['judged', 'repeated', 'afterKill'] as const;
    expect([judged, repeated, afterKill]).toEqual(names.map((name) => summary.accounting(name)));
    expect(new Map(report.refused.map(({ refusal, count }) => [refusal, count]))).toEqual(summary.refused);
    expect(report.unusable.map(({ reason }) => reason)).toEqual(summary.told.map(({ reason }) => reason));
  }
  const moved = sessions.filter(({ outcome }) => outcome.old!.level !== outcome.new.level);
  expect(report.higher + report.lower).toBe(moved.length);
  expect(moved.length).toBeGreaterThan(3);
}

const lines = (events: number, seed: number) => [...stream(events, seed)].map(({ value }) => value).join('\n');

/** The same stream as a captured log of three partitions, with a clock that sometimes falls back. */
function captured(events: number, seed: number): string {
  const next = [0, 0, 0];
  return [...stream(events, seed)]
    .map(({ session, appendMs, value }, i) => {
      const partition = session.length % 3;
      const offset = next[partition]!;
      next[partition] = offset + 1 + (i % 7 === 0 ? 1 : 0);
      const key = i % 97 === 0 ? null : Buffer.from(session);
      const headers =
        i % 5 === 0 ? { ce_type: i % 10 === 0 ? 'dev.firebreak.action.v1' : 'dev.firebreak.tick.v1' } : {};
      return encodeRecordedLine('topic', partition, { offset, appendMs, key, value: Buffer.from(value), headers });
    })
    .join('\n');
}

describe('a backtest says what replay says under each rules', () => {
  it.each([1, 2, 3, 8])('of bare events in two files, with %i shards', async (shards) => {
    await withFiles([lines(2500, 1), lines(1500, 2)], (paths) => expectLikeReplay(paths, shards));
  });

  it.each([1, 5])('of a captured log in two files, with %i shards', async (shards) => {
    const all = captured(3000, 3).split('\n');
    const halves = [all.slice(0, 1700), all.slice(1700)].map((half) => half.join('\n'));
    await withFiles(halves, (paths) => expectLikeReplay(paths, shards));
  });

  it('and the report is the same whatever the number of shards', async () => {
    await withFiles([lines(2500, 4)], async (paths) => {
      const one = await backtested(paths, rules, { shards: 1 });
      const many = await backtested(paths, rules, { shards: 7 });
      expect(many).toEqual(one);
      const highest = one.sessions.map(({ outcome }) => levelRank(outcome.new.level));
      expect(new Set(highest).size).toBeGreaterThan(2);
    });
  });
});

it('shadow rules say what they would have done', async () => {
  await withFiles([lines(2500, 1)], async (paths) => {
    const { sessions } = await backtested(paths, rules);
    const expected = new Map<string, Level>();
    await replayed(paths, { policy: replayPolicy(old), capturedBy: 'given', end: 'closed' }, ({ outputs }) => {
      for (const output of outputs) {
        if (output.topic !== 'findings' || output.finding.code !== 'shadow_hit') continue;
        const { session, level } = output.finding;
        const before = expected.get(session!) ?? 'clear';
        if (levelRank(level!.to) > levelRank(before)) expected.set(session!, level!.to);
      }
    });
    const found = sessions.flatMap(({ session, outcome }) =>
      Object.entries(outcome.old!.shadow).map(([rule, level]) => [session, rule, level]),
    );
    expect(found.length).toBeGreaterThan(5);
    expect(found.sort()).toEqual([...expected].map(([session, level]) => [session, 'pace', level]).sort());
  });
});
