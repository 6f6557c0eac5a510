import { describe, expect, it } from 'vitest';
import type { Finding } from '../../src/domain/finding.ts';
import type { Output } from '../../src/domain/output.ts';
import { commandsOf, findingsOf, Log, planOf } from './harness.ts';

const MINUTE = 60_000;
const B = `sha256:${'b'.repeat(64)}`;
const MEASURE = { n: 'count', paid: 'sum(amount)' };

function firstChange(outputs: Output[]): Finding | undefined {
  return outputs.flatMap((output) => (output.topic === 'findings' && output.finding.level ? [output.finding] : []))[0];
}

describe('an expression without a value', () => {
  it.each([
    ['kill fails, pause holds', { kill: 'n / paid > 3', pause: 'n > 0' }, 'watch', 'paused'],
    ['kill fails, nothing else holds', { kill: 'n / paid > 3', pause: 'n > 9' }, 'watch', 'watch'],
    [
      'kill fails, only watch holds, onError asks for more',
      { kill: 'n / paid > 3', watch: 'n > 0' },
      'pause',
      'paused',
    ],
    ['pause fails, kill holds', { kill: 'n > 0', pause: 'n / paid > 3' }, 'watch', 'killed'],
  ])('never lowers what another condition of the rule says: %s', (_, when, onError, level) => {
    const log = new Log(planOf([{ measure: MEASURE, when, onError }]));
    log.act(0);
    expect(log.level()).toBe(level);
  });

  it('in a part that the condition skipped is no fault, and the numbers shown are those that decided', () => {
    const log = new Log(planOf([{ measure: MEASURE, when: { kill: '(paid > 0 and 100 / paid > 3) or n > 1' } }]));
    log.act(0);
    const outputs = log.act(1);
    expect(commandsOf(outputs)).toEqual(['kill s-1']);
    expect(findingsOf(outputs)).toEqual(['level_changed']);
    expect(firstChange(outputs)).toMatchObject({ score: 2, threshold: 1 });
  });

  it('over the marks whose time is sure pauses: it does not kill, and it is not the rule that failed', () => {
    const log = new Log(
      planOf([{ match: { action: 'delete' }, measure: MEASURE, when: { kill: 'n > 2 and paid / n >= 1' } }]),
    );
    log.act(20 * MINUTE, { action: 'read' });
    const outputs = [0, 1, 2].flatMap((at) => log.act(at, { amount: 1 }, 20 * MINUTE + at));
    expect(log.level()).toBe('paused');
    expect(findingsOf(outputs)).not.toContain('rule_failed');
  });
});

describe('what is kept', () => {
  it('a measure that one policy lacked begins at nothing in the next, also where the filter stayed', () => {
    const wide = { match: { action: 'delete' }, within: '10m', when: { pause: 'n > 2' } };
    const [first, second] = [planOf([wide]), planOf([{ ...wide, within: '5m', when: { pause: 'n > 9' } }], {}, B)];
    const log = new Log(first);
    for (const at of [0, 1]) log.act(at);
    log.partition.judgeUnder(second);
    log.act(2);
    log.partition.judgeUnder(first);
    for (const at of [3, 4]) log.act(at);
    expect(log.level()).toBe('clear');
    log.act(5);
    expect(log.level()).toBe('paused');
  });

  it('a paused session is kept at least as long as one that is not', () => {
    const rule = { match: { action: 'delete' }, within: '2d', when: { pause: 'n > 2', kill: 'n > 3' } };
    const log = new Log(planOf([rule], { killMarkMs: 60_000 }));
    log.act(0, { action: 'read' });
    for (const at of [0, 1, 2]) log.act(46 * 60 * MINUTE + at);
    expect(log.level()).toBe('paused');
    log.act(50 * 60 * MINUTE, { session: 'other' });
    log.act(50 * 60 * MINUTE + 1);
    expect(log.level()).toBe('killed');
  });
});
