import { describe, expect, it } from 'vitest';
import type { Output } from '../../src/domain/output.ts';
import type { PolicySettings } from '../../src/domain/rule.ts';
import { Partition } from '../../src/engine/partition.ts';
import { decodeSession, encodeSession, readSessionHeader } from '../../src/engine/session/codec.ts';
import { needs } from '../../src/engine/step.ts';
import { commandsOf, findingsOf, Log, planOf, START_MS } from './harness.ts';

const MINUTE = 60_000;
const RULES = [{ id: 'deletes', match: { action: 'delete' }, within: '1h', when: { pause: 'n > 3' } }];
const logOf = (settings: Partial<PolicySettings> = {}) =>
  new Log(planOf(RULES, { acknowledgeWithinMs: 10 * 60 * MINUTE, ...settings }));
const CORP = { type: 'tenant', id: 'corp' } as const;
const refusalsOf = (outputs: readonly Output[]) =>
  outputs.flatMap((output) => (output.topic === 'findings' ? (output.finding.refusal ?? []) : []));
const commandsIn = (outputs: readonly Output[]) =>
  outputs.flatMap((output) => (output.topic === 'commands' ? [output.command] : []));
const scopesOf = (outputs: readonly Output[]) =>
  outputs.flatMap((output) =>
    output.topic === 'commands' && output.command.scope ? [`${output.command.action} ${output.command.scope}`] : [],
  );

describe('a standing order', () => {
  it.each(['pause', 'kill'] as const)('to %s goes out at once with its scope, and is enforced as a pause', (kind) => {
    const log = logOf();
    log.act(0, { tenant: 'corp' });
    const given = log.decide(MINUTE, { kind, scope: CORP, reason: 'breach' });
    expect([scopesOf(given), findingsOf(given)]).toEqual([['pause tenant:corp'], ['order_in_force']]);
    expect(log.level()).toBe('clear');
    const touched = log.act(2 * MINUTE, { tenant: 'corp', action: 'read' });
    expect([commandsOf(touched), findingsOf(touched)]).toEqual([['pause s-1'], ['level_changed']]);
    expect(log.level()).toBe('paused');
  });

  it('is for every class of enforcers at once, and is confirmed by the command of each session that acts', () => {
    const log = logOf({ enforcers: ['runtime', 'gateway'], acknowledgeWithinMs: MINUTE, publishAttempts: 1 });
    const [order] = commandsIn(log.decide(0, { kind: 'pause', scope: CORP }));
    expect(order!.standby).toBeUndefined();
    log.published(0, log.act(1, { tenant: 'corp' }));
    // What an enforcer says of the order itself is of no session: it neither ends nor begins a waiting.
    expect(log.acknowledge(2, order!.id, 'enforced')).toEqual([]);
    expect(findingsOf(log.tick(2 * MINUTE))).toEqual(['command_escalated']);
    expect(findingsOf(log.act(2 * MINUTE, { tenant: 'corp' }))).toEqual(['action_while_paused']);
  });

  it.each([
    ['agent', { agent: { id: 'x' } }],
    ['principal', { principal: { id: 'x' } }],
    ['tenant', { tenant: 'x' }],
  ] as const)('for one %s holds sessions that begin later, and no other', (type, event) => {
    const log = logOf();
    log.decide(0, { kind: 'pause', scope: { type, id: 'x' } });
    log.act(MINUTE, event);
    log.act(MINUTE, { session: 's-2' });
    expect([log.level('s-1'), log.level('s-2')]).toEqual(['paused', 'clear']);
  });

  it('has no end by time: nobody is killed for it, and nobody but its lifting releases', () => {
    const log = logOf();
    log.decide(0, { kind: 'pause', scope: CORP });
    log.published(MINUTE, log.act(MINUTE, { tenant: 'corp' }));
    for (let atMs = 2 * MINUTE; atMs < 90 * MINUTE; atMs += MINUTE) expect(findingsOf(log.tick(atMs))).toEqual([]);
    const release = { kind: 'release', grant: { marks: 1 }, command: 'cmd-x', view: 'v' } as const;
    expect(refusalsOf(log.decide(91 * MINUTE, release))).toEqual(['order_in_force']);
    const lifted = log.decide(92 * MINUTE, { kind: 'lift', scope: CORP });
    expect([scopesOf(lifted), commandsOf(lifted)]).toEqual([
      ['resume tenant:corp'],
      ['resume undefined', 'resume s-1'],
    ]);
    expect([findingsOf(lifted), log.level()]).toEqual([['order_lifted', 'level_changed'], 'watch']);
    expect(log.partition.ordered.size).toBe(0);
  });

  it('keeps a request of a rule as it is: silence under an order is no answer, and lifting it is none', () => {
    const log = logOf();
    const outputs = [0, 1, 2, 3].flatMap((n) => log.act(n * 1000, { tenant: 'corp' }));
    log.published(5000, outputs);
    log.decide(MINUTE, { kind: 'pause', scope: CORP });
    expect(commandsOf(log.act(2 * MINUTE, { tenant: 'corp' }))).toEqual([]);
    expect(refusalsOf(log.decide(3 * MINUTE, { kind: 'release', grant: { marks: 9 }, ...log.request }))).toEqual([
      'order_in_force',
    ]);
    const codes: string[] = [];
    for (let atMs = 4 * MINUTE; atMs < 60 * MINUTE; atMs += MINUTE) codes.push(...findingsOf(log.tick(atMs)));
    expect(codes).toEqual(['decision_reminder', 'decision_overdue']);
    log.decide(61 * MINUTE, { kind: 'lift', scope: CORP });
    expect(log.level()).toBe('paused');
    log.decide(62 * MINUTE, { kind: 'release', grant: { marks: 9 }, ...log.request });
    expect(log.level()).toBe('watch');
  });

  it('leaves a kill of a rule or of a person alone', () => {
    const log = logOf();
    log.act(0, { tenant: 'corp' });
    log.decide(1, { kind: 'kill' });
    log.decide(MINUTE, { kind: 'pause', scope: CORP });
    log.act(2 * MINUTE, { tenant: 'corp' });
    log.decide(3 * MINUTE, { kind: 'lift', scope: CORP });
    expect(log.level()).toBe('killed');
  });

  it('is followed by another one that is about the session too', () => {
    const log = logOf();
    log.decide(0, { kind: 'pause', scope: CORP });
    log.decide(0, { kind: 'pause', scope: { type: 'agent', id: 'agent-1' } });
    log.act(1, { tenant: 'corp' });
    expect(commandsOf(log.decide(MINUTE, { kind: 'lift', scope: CORP }))).toEqual(['resume undefined']);
    expect(log.level()).toBe('paused');
    log.decide(MINUTE, { kind: 'lift', scope: { type: 'agent', id: 'agent-1' } });
    expect(log.level()).toBe('watch');
  });

  it('is not given twice, not by a late copy of its decision either, and only a standing one is lifted', () => {
    const log = logOf();
    const give = { kind: 'pause', scope: CORP, id: 'd-give' } as const;
    log.decide(0, give);
    expect(log.decide(1, give)).toEqual([]);
    expect(refusalsOf(log.decide(1, { kind: 'kill', scope: CORP }))).toEqual(['order_in_force']);
    const lift = { kind: 'lift', scope: CORP, id: 'd-lift' } as const;
    log.decide(2, lift);
    expect([log.decide(3, give), log.decide(3, lift)]).toEqual([[], []]);
    expect(refusalsOf(log.decide(4, { kind: 'lift', scope: CORP }))).toEqual(['no_order']);
    expect(log.partition.state.orders).toEqual([]);
  });

  it('needs two people to be lifted where the policy says so', () => {
    const log = logOf({ releaseApprovals: 2 });
    log.decide(0, { kind: 'pause', scope: CORP });
    expect(findingsOf(log.decide(1, { kind: 'lift', scope: CORP }))).toEqual(['decision_accepted']);
    expect(refusalsOf(log.decide(2, { kind: 'lift', scope: CORP }))).toEqual(['needs_second_person']);
    expect(findingsOf(log.decide(3, { kind: 'lift', scope: CORP, by: { id: 'lee' } }))).toEqual(['order_lifted']);
  });

  it('is lifted from sessions that only the checkpoint holds: the record needs them', () => {
    const log = logOf();
    log.decide(0, { kind: 'pause', scope: CORP });
    log.act(1, { tenant: 'corp' });
    const bytes = encodeSession(log.partition.find('s-1')!);
    const resumed = new Partition('topic-1', 0, log.partition.state);
    resumed.expect('s-1', readSessionHeader(bytes));
    const later = new Log(planOf(RULES), resumed);
    later.offset = log.offset;
    const decision = { id: 'd-lift', kind: 'lift' as const, by: { id: 'kim' }, scope: CORP };
    const record = { offset: log.offset, appendMs: START_MS + 2, body: { type: 'decision' as const, decision } };
    const { sessions } = needs(resumed, [record]);
    expect(sessions).toEqual(['s-1']);
    resumed.adopt(decodeSession('s-1', bytes));
    expect(commandsOf(later.append(2, record.body))).toEqual(['resume undefined', 'resume s-1']);
  });
});
