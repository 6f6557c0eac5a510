import { describe, expect, it } from 'vitest';
import type { LogRecord } from '../../src/domain/record.ts';
import { Partition } from '../../src/engine/partition.ts';
import { decodeSession, encodeSession, readSessionHeader } from '../../src/engine/session/codec.ts';
import { needs, step, steppedAtOnce, TIMERS_PER_RECORD } from '../../src/engine/step.ts';
import { commandsOf, findingsOf, Log, planOf, START_MS } from './harness.ts';

const MINUTE = 60_000;
/** Nobody answers, and no enforcer is asked for a confirmation. A gap above five minutes would be a wrong clock. */
const PLAN = planOf([{ match: { action: 'delete' }, when: { pause: 'n > 0' } }], {
  answerWithinMs: 2 * MINUTE,
  acknowledgeWithinMs: 600 * MINUTE,
});
const LATER = 4 * MINUTE;
const SESSIONS = 2 * TIMERS_PER_RECORD + 300;

/** So many sessions are paused and known to be, within a minute; then nothing comes for minutes. */
function paused(sessions = SESSIONS): Log {
  const log = new Log(PLAN);
  for (let i = 0; i < sessions; i++)
    log.published(i * 20, log.act(i * 20, { session: `s-${String(i).padStart(5, '0')}` }));
  return log;
}

const level = (log: Log, i: number) => log.level(`s-${String(i).padStart(5, '0')}`);

describe('a record after a silence', () => {
  it('looks at a bounded number of sessions, those that are due first; the next ones look at the rest', () => {
    const log = paused();
    const [first, second, third, fourth] = [0, 0, 0, 0].map(() => commandsOf(log.tick(LATER)));
    expect([first!.length, second!.length, third!.length, fourth!.length]).toEqual([1000, 1000, 300, 0]);
    expect(first).toEqual(Array.from({ length: 1000 }, (_, i) => `kill s-${String(i).padStart(5, '0')}`));
    expect(level(log, SESSIONS - 1)).toBe('killed');
  });

  it('looks at its own session too, however many come before it: the time for an answer is over for it', () => {
    const log = paused();
    const session = `s-${String(SESSIONS - 1).padStart(5, '0')}`;
    const { command, view } = log.partition.sessions.get(session)!.standing!.pause!;
    const outputs = log.decide(LATER, { kind: 'release', session, command, view, grant: { minutes: 5 } });
    expect(commandsOf(outputs)).toHaveLength(TIMERS_PER_RECORD + 1);
    expect(commandsOf(outputs)).toContain(`kill ${session}`);
    expect(findingsOf(outputs)).toContain('decision_refused');
  });

  it('asks to load no more than it looks at, and comes to the same wherever the state was loaded from bytes', () => {
    const whole = paused();
    const kept = new Map(whole.partition.takeChanges());
    const resumed = new Partition('topic-1', 0, structuredClone(whole.partition.state));
    resumed.judgeUnder(PLAN);
    for (const [id, bytes] of kept) resumed.expect(id, readSessionHeader(bytes!));
    for (let i = 0; i < 4; i++) {
      const record: LogRecord = { offset: whole.offset, appendMs: START_MS + LATER, body: { type: 'tick' } };
      expect(steppedAtOnce(resumed, [record.appendMs, record.appendMs])).toBe(i < 2 ? 1 : 2);
      const { sessions } = needs(resumed, [record]);
      expect(sessions.length).toBeLessThanOrEqual(TIMERS_PER_RECORD);
      for (const id of sessions) resumed.adopt(decodeSession(id, kept.get(id)!));
      expect(JSON.stringify(step(resumed, record))).toBe(JSON.stringify(whole.tick(LATER)));
    }
    const bytes = (partition: Partition) =>
      [...partition.sessions]
        .map(([id, session]) => `${id} ${Buffer.from(encodeSession(session)).toString('base64')}`)
        .sort();
    expect(bytes(resumed)).toEqual(bytes(whole.partition));
  });
});
