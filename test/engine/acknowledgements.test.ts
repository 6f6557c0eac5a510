import { describe, expect, it } from 'vitest';
import { Command, shortForm } from '../../src/domain/command.ts';
import type { Output } from '../../src/domain/output.ts';
import type { Acknowledgement } from '../../src/domain/record.ts';
import type { PolicySettings } from '../../src/domain/rule.ts';
import { decodeSession, encodeSession } from '../../src/engine/session/codec.ts';
import { findingsOf, Log, planOf } from './harness.ts';

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const RULES = [{ id: 'deletes', match: { action: 'delete' }, within: '1h', when: { pause: 'n > 3', kill: 'n > 10' } }];
const SETTINGS = { acknowledgeWithinMs: MINUTE, publishAttempts: 3, answerWithinMs: 600 * MINUTE };

/** A session that is killed at 11 s by its eleventh delete, with the kill known to be out at 20 s. */
function killed(settings: Partial<PolicySettings> = {}): { log: Log; kill: Command } {
  const log = new Log(planOf(RULES, { ...SETTINGS, ...settings }));
  const outputs = Array.from({ length: 11 }, (_, n) => log.act((n + 1) * SECOND)).flat();
  const kill = commands(outputs).find(({ action }) => action === 'kill')!;
  log.published(
    20 * SECOND,
    outputs.filter((output) => output.topic === 'commands' && output.command === kill),
  );
  return { log, kill };
}

const commands = (outputs: readonly Output[]) =>
  outputs.flatMap((output) => (output.topic === 'commands' ? [output.command] : []));
const attempts = (outputs: readonly Output[]) =>
  outputs.flatMap((output) => (output.topic === 'commands' ? [output.attempt ?? 1] : []));
const audited = (outputs: readonly Output[]) =>
  outputs.flatMap((output) => (output.topic === 'audit' ? [output.entry] : []));

describe('a command that nobody confirms', () => {
  it('is published again under its id, in its short form, then escalated; then nothing is pending', () => {
    const { log, kill } = killed();
    expect(log.tick(79 * SECOND)).toEqual([]);
    const second = log.tick(80 * SECOND);
    expect([findingsOf(second), attempts(second)]).toEqual([['command_unacknowledged'], [2]]);
    expect(commands(second)).toEqual([shortForm(kill)]);
    expect(Command.parse(shortForm(kill))).toEqual(shortForm(kill));
    const third = log.tick(140 * SECOND);
    expect([findingsOf(third), attempts(third)]).toEqual([['command_unacknowledged'], [3]]);
    expect(findingsOf(log.tick(200 * SECOND))).toEqual(['command_escalated']);
    expect(log.partition.pending.size).toBe(0);
    expect(findingsOf(log.tick(900 * SECOND))).toEqual([]);
  });

  it('has the same bytes again, whether or not the session was read from bytes meanwhile', () => {
    const { log } = killed();
    const other = killed().log;
    const bytes = encodeSession(other.partition.find('s-1')!);
    other.partition.adopt(decodeSession('s-1', bytes));
    expect(JSON.stringify(other.tick(80 * SECOND))).toBe(JSON.stringify(log.tick(80 * SECOND)));
  });

  it.each<[Acknowledgement['status'], string[], boolean]>([
    ['received', [], true],
    ['failed', ['command_unacknowledged'], true],
    ['unsupported', ['command_unacknowledged'], true],
    ['enforced', [], false],
  ])('and then is %s', (status, codes, pending) => {
    const { log, kill } = killed();
    const outputs = log.acknowledge(30 * SECOND, kill.id, status);
    expect(findingsOf(outputs)).toEqual(codes);
    expect(audited(outputs)[0]!.acknowledged).toMatchObject({ command: kill.id, status, enforcer: 'gw' });
    expect(log.partition.pending.size > 0).toBe(pending);
    expect(log.acknowledge(31 * SECOND, kill.id, status)).toEqual([]);
  });

  it('is not confirmed by what is said of another command or session', () => {
    const { log, kill } = killed();
    expect(log.acknowledge(30 * SECOND, 'cmd-other', 'enforced')).toEqual([]);
    expect(log.acknowledge(30 * SECOND, kill.id, 'enforced', 's-2')).toEqual([]);
    expect(log.partition.pending.size).toBe(1);
  });
});

describe('a command under a policy with classes of enforcers', () => {
  const LAYERED = { enforcers: ['runtime', 'gateway', 'platform'], publishAttempts: 2 };
  const standby = (outputs: readonly Output[]) => commands(outputs).map((command) => command.standby);
  const verdicts = (outputs: readonly Output[]) =>
    outputs.flatMap((output) => (output.topic === 'verdicts' ? [output.verdict] : []));
  const found = (outputs: readonly Output[]) =>
    outputs.flatMap((output) => (output.topic === 'findings' ? [output.finding] : []));

  it('is for the first alone, and reaches one more each time that nobody has confirmed it; then it calls people', () => {
    const { log, kill } = killed(LAYERED);
    expect(kill.standby).toEqual(['gateway', 'platform']);
    const told = Array.from({ length: 8 }, (_, n) => log.tick((80 + n * 60) * SECOND));
    expect(told.map(findingsOf)).toEqual([
      ['command_unacknowledged'],
      ['command_escalated'],
      ['command_unacknowledged'],
      ['command_escalated'],
      ['command_unacknowledged'],
      ['command_escalated'],
      [],
      [],
    ]);
    const [, gateway, , platform, , people] = told as Output[][];
    expect(told.flatMap(attempts)).toEqual([2, 3, 4, 5, 6]);
    expect(told.flatMap(standby)).toEqual([['gateway', 'platform'], ['platform'], ['platform'], undefined, undefined]);
    expect(new Set(told.flatMap(commands).map(({ id }) => id))).toEqual(new Set([kill.id]));
    const stands = { session: 's-1', level: 'killed', command: kill.id, rule: kill.rule };
    const { time, position } = kill;
    expect(verdicts(gateway!)).toEqual([{ ...stands, time, position, standby: ['platform'] }]);
    expect(verdicts(platform!)).toEqual([{ ...stands, time, position }]);
    expect(found(gateway!)[0]).toMatchObject({ severity: 'high', standby: ['platform'], attempt: 2 });
    expect(found(gateway!)[0]!.reason).toMatch(/from here on gateway acts too$/);
    expect(found(people!)[0]).toMatchObject({ severity: 'critical', attempt: 6 });
    expect(log.partition.pending.size).toBe(0);
  });

  it.each<[string, Acknowledgement['status'], string | undefined, string[]]>([
    ['at once where the class that is to act cannot', 'unsupported', 'runtime', ['command_escalated']],
    ['not when it fails: it tries again', 'failed', 'runtime', []],
    ['not for what another class says', 'unsupported', 'gateway', []],
    ['not for what an enforcer of no class says', 'unsupported', undefined, []],
  ])('reaches the next %s', (_, status, of, escalated) => {
    const { log, kill } = killed(LAYERED);
    const outputs = log.acknowledge(30 * SECOND, kill.id, status, 's-1', of);
    expect(findingsOf(outputs)).toEqual(['command_unacknowledged', ...escalated]);
    expect(standby(outputs)).toEqual(escalated.map(() => ['platform']));
  });

  it('is heard anew of each class that it reaches, and only the last one leads on', () => {
    const { log, kill } = killed(LAYERED);
    log.acknowledge(30 * SECOND, kill.id, 'unsupported', 's-1', 'runtime');
    const again = log.acknowledge(31 * SECOND, kill.id, 'unsupported', 's-1', 'runtime');
    expect(standby(again)).toEqual([]);
    expect(log.acknowledge(32 * SECOND, kill.id, 'enforced', 's-1', 'gateway')).toHaveLength(1);
    expect(log.partition.pending.size).toBe(0);
  });

  it('acts from the class on that was needed before, and a resume is for all', () => {
    const log = new Log(planOf(RULES, { ...SETTINGS, ...LAYERED }));
    const paused = Array.from({ length: 4 }, (_, n) => log.act(n * SECOND)).flat();
    log.published(5 * SECOND, paused);
    for (const atMs of [65, 125]) log.tick(atMs * SECOND);
    const resumed = log.decide(126 * SECOND, { kind: 'release', grant: { marks: 1 }, ...log.request });
    const pausedAgain = [127, 128].flatMap((at) => log.act(at * SECOND));
    expect([paused, resumed, pausedAgain].map((outputs) => standby(outputs))).toEqual([
      [['gateway', 'platform']],
      [undefined],
      [['platform']],
    ]);
  });

  it('of whom a resume is not confirmed calls people at once: nobody else is to let it go', () => {
    const log = new Log(planOf(RULES, { ...SETTINGS, ...LAYERED }));
    log.published(5 * SECOND, Array.from({ length: 4 }, (_, n) => log.act(n * SECOND)).flat());
    const resumed = log.decide(6 * SECOND, { kind: 'release', grant: { marks: 9 }, ...log.request });
    log.published(7 * SECOND, resumed);
    const codes = [67, 127]
      .map((at) => log.tick(at * SECOND))
      .map((outputs) => [findingsOf(outputs), standby(outputs)]);
    expect(codes).toEqual([
      [['command_unacknowledged'], [undefined]],
      [['command_escalated'], []],
    ]);
  });

  it('reaches them also when the session was read from bytes meanwhile, with the same bytes', () => {
    const { log } = killed(LAYERED);
    const other = killed(LAYERED).log;
    for (let n = 0; n < 6; n++) {
      other.partition.adopt(decodeSession('s-1', encodeSession(other.partition.find('s-1')!)));
      const at = (80 + n * 60) * SECOND;
      expect(JSON.stringify(other.tick(at))).toBe(JSON.stringify(log.tick(at)));
    }
  });
});

it('the trail says how long it took: cause to publication, to confirmation, to the last action', () => {
  const { log, kill } = killed();
  log.act(22 * SECOND);
  log.act(24 * SECOND);
  const [entry] = audited(log.acknowledge(25 * SECOND, kill.id, 'enforced'));
  expect(entry!.acknowledged).toMatchObject({ publishToAcknowledgeMs: 5000, detectToLastActionMs: 13_000 });
});

it('a session that acts on after its kill is told at the 1st, 2nd, 4th, 8th action, with the number', () => {
  const { log, kill } = killed();
  log.acknowledge(25 * SECOND, kill.id, 'enforced');
  const told = Array.from({ length: 9 }, (_, n) => log.act((30 + n) * SECOND)).map((outputs) =>
    outputs.flatMap((output) => (output.topic === 'findings' ? [output.finding] : [])),
  );
  expect(told.map(([finding]) => finding?.count)).toEqual([
    1,
    2,
    undefined,
    4,
    undefined,
    undefined,
    undefined,
    8,
    undefined,
  ]);
  expect(told[0]![0]).toMatchObject({ code: 'action_after_kill', severity: 'critical', command: kill.id });
  expect(told[0]![0]!.reason).toContain('although an enforcer confirmed the command');
  expect(log.partition.state.accounting.afterKill).toBe(9);
});

it('a session that acts while paused is told once its pause is out, not before', () => {
  const log = new Log(planOf(RULES, SETTINGS));
  const outputs = Array.from({ length: 4 }, (_, n) => log.act(n * SECOND)).flat();
  expect(findingsOf(log.act(5 * SECOND))).toEqual([]);
  log.published(6 * SECOND, outputs);
  expect(findingsOf(log.act(7 * SECOND))).toEqual(['action_while_paused']);
});
