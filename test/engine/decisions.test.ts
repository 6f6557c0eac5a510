import { describe, expect, it } from 'vitest';
import { auditHashOf } from '../../src/domain/audit.ts';
import { Command } from '../../src/domain/command.ts';
import type { Decision } from '../../src/domain/decision.ts';
import { Finding, viewOf } from '../../src/domain/finding.ts';
import type { Output } from '../../src/domain/output.ts';
import type { PolicySettings } from '../../src/domain/rule.ts';
import { commandsOf, findingsOf, Log, planOf } from './harness.ts';

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const SETTINGS = {
  answerWithinMs: 15 * MINUTE,
  reminderBeforeMs: 5 * MINUTE,
  decisionGraceMs: 30 * SECOND,
  acknowledgeWithinMs: 10 * 60 * MINUTE,
};
/** More than three deletes pause, more than ten kill; sending twice pauses too. */
const RULES = [
  { id: 'deletes', match: { action: 'delete' }, within: '1h', when: { pause: 'n > 3', kill: 'n > 10' } },
  { id: 'sends', match: { action: 'send' }, within: '1h', when: { pause: 'n > 1' } },
];
const FIVE = { marks: 5 };

const logOf = (settings: Partial<PolicySettings> = {}) => new Log(planOf(RULES, { ...SETTINGS, ...settings }));

/** A log whose session is paused by its fourth delete, with the pause known to be out at 10 s. */
function paused(settings: Partial<PolicySettings> = {}): { log: Log; said: Output[] } {
  const log = logOf(settings);
  for (let n = 0; n < 3; n++) log.act(n * SECOND);
  const outputs = log.act(3 * SECOND);
  return { log, said: [...outputs, ...log.published(10 * SECOND, outputs)] };
}

const findings = (outputs: readonly Output[]) =>
  outputs.flatMap((output) => (output.topic === 'findings' ? [output.finding] : []));
const commands = (outputs: readonly Output[]) =>
  outputs.flatMap((output) => (output.topic === 'commands' ? [output.command] : []));
const refusalsOf = (outputs: readonly Output[]) => findings(outputs).flatMap(({ refusal }) => refusal ?? []);
const verdictsOf = (outputs: readonly Output[]) =>
  outputs.flatMap((output) => (output.topic === 'verdicts' ? [output.verdict.level] : []));
/** Ticks as an owner writes them, each minute. */
function ticked(log: Log, fromMs: number, toMs: number): Output[] {
  const outputs: Output[] = [];
  for (let atMs = fromMs; atMs <= toMs; atMs += MINUTE) outputs.push(...log.tick(atMs));
  return outputs;
}

describe('a pause', () => {
  it('asks people, with a view that is the digest of the finding, and says until when', () => {
    const { said } = paused();
    expect(findingsOf(said)).toEqual(['level_changed', 'decision_requested', 'decision_due']);
    const [, asked, due] = findings(said);
    expect(viewOf(asked!)).toBe(asked!.view);
    expect(asked!.request).toMatchObject({
      command: commands(said)[0]!.id,
      answerWithinMs: SETTINGS.answerWithinMs,
      conditions: [{ rule: 'deletes', condition: 'pause', score: 4, threshold: 3 }],
    });
    expect(due!.request!.answerUntil).toBe('2026-01-05T09:15:10.000Z');
    for (const finding of findings(said)) expect(Finding.parse(finding)).toEqual(finding);
    expect(viewOf({ ...asked!, reason: `${asked!.reason} ` })).not.toBe(asked!.view);
  });

  it('waits without end until the log knows that it is out: our outage is nobody’s silence', () => {
    const log = logOf();
    for (let n = 0; n < 4; n++) log.act(n * SECOND);
    expect(findingsOf(ticked(log, MINUTE, 60 * MINUTE))).toEqual([]);
    expect(log.level()).toBe('paused');
  });

  it('is a kill when nobody has answered in time and grace, after one reminder', () => {
    const { log } = paused();
    const before = ticked(log, MINUTE, 15 * MINUTE);
    expect(findingsOf(before)).toEqual(['decision_reminder']);
    expect(findingsOf(log.tick(15 * MINUTE + 39 * SECOND))).toEqual([]);
    const killing = log.tick(15 * MINUTE + 40 * SECOND);
    expect(commandsOf(killing)).toEqual(['kill s-1']);
    expect(commands(killing)[0]).toMatchObject({ rule: 'firebreak:no-answer' });
    expect(verdictsOf(killing)).toEqual(['killed']);
    expect(log.level()).toBe('killed');
  });

  it('has the id of the kill from the record that set the timer, whichever record lets the time pass', () => {
    const killedBy = (end: (log: Log) => Output[]) => {
      const { log } = paused();
      ticked(log, MINUTE, 15 * MINUTE);
      return commands(end(log))[0]!.id;
    };
    const byTick = killedBy((log) => log.tick(16 * MINUTE));
    expect(killedBy((log) => log.act(17 * MINUTE, { session: 'other' }))).toBe(byTick);
  });

  it.each<[string, (log: Log) => void, string[]]>([
    ['ahead', (log) => log.tick(20 * MINUTE), ['clock_jumped', 'decision_overdue']],
    [
      'back and on',
      (log) => {
        ticked(log, MINUTE, 15 * MINUTE);
        log.tick(14 * MINUTE);
      },
      ['decision_overdue'],
    ],
  ])('waits for a person when the clock of the log jumps %s', (_, jump, codes) => {
    const { log } = paused();
    const before = log.offset;
    jump(log);
    const after = ticked(log, 16 * MINUTE, 60 * MINUTE);
    expect(before).toBeLessThan(log.offset);
    expect(codes).toEqual(expect.arrayContaining(findingsOf(after)));
    expect(log.level()).toBe('paused');
    expect(refusalsOf(log.decide(61 * MINUTE, { kind: 'release', grant: FIVE, ...log.request }))).toEqual([]);
    expect(log.level()).toBe('watch');
  });

  it('is renewed when another condition holds while it waits: the old view is stale', () => {
    const { log } = paused();
    const before = log.request;
    log.act(20 * SECOND, { action: 'send' });
    const more = log.act(21 * SECOND, { action: 'send' });
    expect(findingsOf(more)).toEqual(['action_while_paused', 'decision_requested']);
    expect(findings(more)[1]!.request!.conditions.map(({ rule }) => rule)).toEqual(['deletes', 'sends']);
    expect(log.request.command).toBe(before.command);
    expect(refusalsOf(log.decide(MINUTE, { kind: 'release', grant: FIVE, ...before }))).toEqual(['stale_view']);
    expect(findingsOf(log.act(2 * MINUTE, { action: 'send' }))).toEqual([]);
    expect(refusalsOf(log.decide(3 * MINUTE, { kind: 'release', grant: FIVE, ...log.request }))).toEqual([]);
  });
});

describe('a release', () => {
  const released = (grant: NonNullable<Decision['grant']>) => {
    const { log } = paused();
    const outputs = log.decide(MINUTE, { kind: 'release', grant, reason: 'known clean-up', ...log.request });
    return { log, outputs };
  };

  it('resumes the session, says who, why and how far, and clears the verdict', () => {
    const { log, outputs } = released(FIVE);
    expect(findingsOf(outputs)).toEqual(['decision_accepted', 'level_changed']);
    expect(verdictsOf(outputs)).toEqual(['watch']);
    const [command] = commands(outputs);
    expect(command).toMatchObject({ action: 'resume', rule: 'deletes', by: { id: 'kim' }, grant: FIVE });
    expect(command!.reason).toBe('release by kim: known clean-up (5 marks)');
    expect(Command.parse(command)).toEqual(command);
    expect(log.level()).toBe('watch');
  });

  it('of 5 marks lasts for 5 objects, and the sixth pauses at once with a new request', () => {
    const { log } = released(FIVE);
    for (let n = 0; n < 5; n++) expect(commandsOf(log.act((2 + n) * MINUTE))).toEqual([]);
    const sixth = log.act(7 * MINUTE);
    expect(commandsOf(sixth)).toEqual(['pause s-1']);
    expect(commands(sixth)[0]!.reason).toMatch(/\(paused again: the granted 5 marks are used up\)$/);
    expect(findingsOf(sixth)).toEqual(['level_changed', 'decision_requested']);
  });

  it('of 5 marks does not let one call on 6 rows pass', () => {
    const { log } = released(FIVE);
    expect(commandsOf(log.act(2 * MINUTE, { affected: 6 }))).toEqual(['pause s-1']);
  });

  it('of 2 points lasts until the score is 2 above what it was', () => {
    const { log } = released({ points: 2 });
    expect([2, 3, 4].map((minute) => commandsOf(log.act(minute * MINUTE)))).toEqual([[], [], ['pause s-1']]);
  });

  it('of 2 minutes ends by time, although nothing happens', () => {
    const { log } = released({ minutes: 2 });
    expect(commandsOf(log.act(2 * MINUTE))).toEqual([]);
    expect(commandsOf(log.tick(3 * MINUTE))).toEqual(['pause s-1']);
  });

  it('ends without a pause where the session was silent until it had ended', () => {
    const { log } = released({ minutes: 90 });
    expect(commandsOf(ticked(log, 2 * MINUTE, 100 * MINUTE)).filter((one) => one.startsWith('pause'))).toEqual([]);
    expect(log.partition.sessions.get('s-1')?.standing?.release).toBeUndefined();
  });

  it('for one target pauses at another, and lets what does not count be', () => {
    const { log } = released({ marks: 50, targets: ['a'] });
    expect(commandsOf(log.act(2 * MINUTE, { resource: { id: 'a' } }))).toEqual([]);
    expect(commandsOf(log.act(3 * MINUTE, { action: 'read', resource: { id: 'b' } }))).toEqual([]);
    expect(commandsOf(log.act(4 * MINUTE, { resource: { id: 'b' } }))).toEqual(['pause s-1']);
  });

  it('suspends neither a kill nor another rule, and both are named when people are asked again', () => {
    const { log } = released({ marks: 50 });
    log.act(2 * MINUTE, { action: 'send' });
    const other = log.act(3 * MINUTE, { action: 'send' });
    expect(commandsOf(other)).toEqual(['pause s-1']);
    const asked = findings(other).find(({ code }) => code === 'decision_requested');
    expect(asked!.request!.conditions.map(({ rule }) => rule)).toEqual(['sends', 'deletes']);
    log.decide(4 * MINUTE, { kind: 'release', grant: { marks: 50 }, ...log.request });
    const rest = Array.from({ length: 7 }, (_, n) => commandsOf(log.act((5 + n) * MINUTE)));
    expect(rest.flat()).toEqual(['kill s-1']);
  });

  it('needs two people where the policy says so, and grants what both have granted', () => {
    const { log } = paused({ releaseApprovals: 2 });
    const first = log.decide(MINUTE, { kind: 'release', grant: { marks: 9, targets: ['a', 'b'] }, ...log.request });
    expect(findings(first).map(({ code, request }) => [code, request?.approvedBy])).toEqual([
      ['decision_accepted', ['kim']],
    ]);
    expect(log.level()).toBe('paused');
    const again = log.decide(MINUTE, { kind: 'release', grant: FIVE, ...log.request });
    expect(refusalsOf(again)).toEqual(['needs_second_person']);
    const lee = { kind: 'release', by: { id: 'lee' } } as const;
    expect(refusalsOf(log.decide(MINUTE, { ...lee, grant: { marks: 1, targets: ['c'] }, ...log.request }))).toEqual([
      'no_grant',
    ]);
    const grant = { marks: 3, targets: ['b'] };
    const both = log.decide(2 * MINUTE, { ...lee, grant, ...log.request });
    expect(commands(both)[0]).toMatchObject({ action: 'resume', grant });
    expect(commands(both)[0]!.reason).toContain('with kim');
  });

  it('by four eyes is not for whoever initiated the session', () => {
    const log = logOf({ releaseApprovals: 2 });
    for (let n = 0; n < 4; n++) log.act(n * SECOND, { principal: { id: 'kim' } });
    expect(refusalsOf(log.decide(MINUTE, { kind: 'release', grant: FIVE, ...log.request }))).toEqual(['initiator']);
  });
});

describe('every level answers every decision', () => {
  type Level = 'unknown' | 'clear' | 'watch' | 'paused' | 'killed';
  const LEVELS: Record<Level, () => Log> = {
    unknown: () => logOf(),
    clear: () => {
      const log = logOf();
      log.act(0);
      return log;
    },
    watch: () => {
      const { log } = paused();
      log.decide(MINUTE, { kind: 'release', grant: { marks: 50 }, ...log.request });
      return log;
    },
    paused: () => paused().log,
    killed: () => {
      const { log } = paused();
      log.decide(MINUTE, { kind: 'kill' });
      return log;
    },
  };
  const at = 2 * MINUTE;
  const right = (log: Log) => (log.level() === 'paused' ? log.request : { command: 'cmd-x', view: 'v' });
  const RECORDS = {
    release: (log: Log) => log.decide(at, { kind: 'release', grant: FIVE, ...right(log) }),
    'release without a grant': (log: Log) => log.decide(at, { kind: 'release', ...right(log) }),
    'release of an old view': (log: Log) => log.decide(at, { kind: 'release', grant: FIVE, ...right(log), view: 'v' }),
    'release of nothing': (log: Log) => log.decide(at, { kind: 'release', grant: FIVE }),
    reject: (log: Log) => log.decide(at, { kind: 'reject', ...right(log) }),
    'reject without a view': (log: Log) => log.decide(at, { kind: 'reject', command: right(log).command }),
    pause: (log: Log) => log.decide(at, { kind: 'pause' }),
    kill: (log: Log) => log.decide(at, { kind: 'kill' }),
    action: (log: Log) => log.act(at, { action: 'read' }),
    tick: (log: Log) => log.tick(at),
    published: (log: Log) => log.append(at, { type: 'published', published: { command: 'cmd-x', session: 's-1' } }),
    acknowledgement: (log: Log) => log.acknowledge(at, 'cmd-x', 'enforced'),
  } as const;
  const no = (level: Level, refusal: string) => `${level === 'unknown' ? 'none' : level} ${refusal}`;
  const TABLE: Record<Level, Record<keyof typeof RECORDS, string>> = {
    unknown: {
      release: no('unknown', 'unknown_session'),
      'release without a grant': no('unknown', 'unknown_session'),
      'release of an old view': no('unknown', 'unknown_session'),
      'release of nothing': no('unknown', 'unknown_session'),
      reject: no('unknown', 'unknown_session'),
      'reject without a view': no('unknown', 'unknown_session'),
      pause: no('unknown', 'unknown_session'),
      kill: no('unknown', 'unknown_session'),
      action: 'clear',
      tick: 'none',
      published: 'none',
      acknowledgement: 'none',
    },
    clear: {
      release: no('clear', 'unknown_command'),
      'release without a grant': no('clear', 'unknown_command'),
      'release of an old view': no('clear', 'unknown_command'),
      'release of nothing': no('clear', 'unknown_command'),
      reject: no('clear', 'unknown_command'),
      'reject without a view': no('clear', 'unknown_command'),
      pause: 'paused',
      kill: 'killed',
      action: 'clear',
      tick: 'clear',
      published: 'clear',
      acknowledgement: 'clear',
    },
    watch: {
      release: no('watch', 'unknown_command'),
      'release without a grant': no('watch', 'unknown_command'),
      'release of an old view': no('watch', 'unknown_command'),
      'release of nothing': no('watch', 'unknown_command'),
      reject: no('watch', 'unknown_command'),
      'reject without a view': no('watch', 'unknown_command'),
      pause: 'paused',
      kill: 'killed',
      action: 'watch',
      tick: 'watch',
      published: 'watch',
      acknowledgement: 'watch',
    },
    paused: {
      release: 'watch',
      'release without a grant': no('paused', 'no_grant'),
      'release of an old view': no('paused', 'stale_view'),
      'release of nothing': no('paused', 'unknown_command'),
      reject: 'killed',
      'reject without a view': 'killed',
      pause: no('paused', 'already_paused'),
      kill: 'killed',
      action: 'paused',
      tick: 'paused',
      published: 'paused',
      acknowledgement: 'paused',
    },
    killed: {
      release: no('killed', 'ended'),
      'release without a grant': no('killed', 'ended'),
      'release of an old view': no('killed', 'ended'),
      'release of nothing': no('killed', 'ended'),
      reject: no('killed', 'ended'),
      'reject without a view': no('killed', 'ended'),
      pause: no('killed', 'already_killed'),
      kill: no('killed', 'already_killed'),
      action: 'killed',
      tick: 'killed',
      published: 'killed',
      acknowledgement: 'killed',
    },
  };
  const cases = Object.entries(TABLE).flatMap(([level, row]) =>
    Object.entries(row).map(([record, becomes]) => [level, record, becomes] as const),
  );
  it.each(cases)('%s, %s: %s', (level, record, becomes) => {
    const log = LEVELS[level as Level]();
    const outputs = RECORDS[record as keyof typeof RECORDS](log);
    expect([log.level(), ...refusalsOf(outputs)].join(' ')).toBe(becomes);
    const decided = findingsOf(outputs).filter((code) => code.startsWith('decision_') && code !== 'decision_requested');
    const kinds = ['release', 'reject', 'pause', 'kill'];
    const wanted = becomes.includes(' ') ? ['decision_refused'] : ['decision_accepted'];
    expect(decided).toEqual(kinds.includes(record.split(' ')[0]!) ? wanted : []);
  });

  it('an answered request answers a late one with why, and a repeated decision with nothing', () => {
    const { log } = paused();
    const answer = { kind: 'release', grant: FIVE, ...log.request, id: 'd-same' } as const;
    log.decide(MINUTE, answer);
    expect(log.decide(MINUTE, answer)).toEqual([]);
    expect(refusalsOf(log.decide(MINUTE, { ...answer, id: 'd-late' }))).toEqual(['already_decided']);
    log.decide(2 * MINUTE, { kind: 'kill', id: 'd-kill' });
    expect(log.decide(2 * MINUTE, { kind: 'kill', id: 'd-kill' })).toEqual([]);
    expect(refusalsOf(log.decide(2 * MINUTE, { ...answer, id: 'd-later' }))).toEqual(['already_decided']);
  });
});

describe('the audit trail', () => {
  it('is one chain, in which each entry names the hash of the one before it', () => {
    const { log, said } = paused();
    const more = log.decide(MINUTE, { kind: 'release', grant: FIVE, ...log.request });
    const entries = [...said, ...more].flatMap((output) => (output.topic === 'audit' ? [output.entry] : []));
    expect(entries.map(({ index }) => index)).toEqual(entries.map((_, n) => n));
    let previous = '';
    for (const entry of entries) {
      expect([entry.previous, entry.hash]).toEqual([previous, auditHashOf(entry)]);
      previous = entry.hash;
    }
    expect(log.partition.state).toMatchObject({ auditHash: previous, auditIndex: entries.length });
    expect(entries.filter(({ command }) => command).map(({ command }) => command!.action)).toEqual(['pause', 'resume']);
    expect(entries.find(({ finding }) => finding?.code === 'decision_requested')!.action).toMatchObject({
      tool: 'tool',
      outcome: 'ok',
    });
  });
});
