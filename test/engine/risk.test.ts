import { describe, expect, it } from 'vitest';
import type { ActionEvent } from '../../src/domain/event.ts';
import { riskGauge } from '../../src/engine/risk.ts';
import { Log, planOf } from './harness.ts';

function riskAfter(events: Partial<ActionEvent>[], when: Record<string, unknown>, more: Record<string, unknown> = {}) {
  const plan = planOf([{ measure: { n: 'count', kinds: 'distinct(action)' }, when, ...more }]);
  const log = new Log(plan);
  for (const [index, event] of events.entries()) log.act(index * 1000, event);
  const session = log.partition.sessions.get('s-1')!;
  const risk = riskGauge(plan)(session);
  return risk === undefined ? undefined : [Number(risk.share.toFixed(3)), risk.condition];
}

const times = (count: number): Partial<ActionEvent>[] => Array.from({ length: count }, () => ({}));

describe('riskGauge', () => {
  it.each<[name: string, events: number, when: Record<string, unknown>, risk: unknown]>([
    ['the share of the way to the pause', 5, { watch: 'n > 3', pause: 'n > 9', kill: 'n > 99' }, [0.5, 'pause']],
    ['a whole threshold is passed by the next number', 2, { pause: 'n > 2' }, [0.667, 'pause']],
    ['>= is reached by the threshold', 2, { pause: 'n >= 4' }, [0.5, 'pause']],
    ['the threshold may stand on the left', 5, { pause: '9 < n' }, [0.5, 'pause']],
    ['`and` is as near as its farthest part', 5, { pause: 'n > 9 and kinds == 4' }, [0.25, 'pause']],
    ['`or` is as near as its nearest part', 5, { pause: 'n > 9 or kinds == 4' }, [0.5, 'pause']],
    ['what holds counts whole', 5, { pause: 'n > 1 and kinds == 2' }, [0.5, 'pause']],
    ['what must fall comes nearer as it falls', 4, { pause: 'n < 1' }, [0.25, 'pause']],
    ['after the pause the kill is next', 5, { pause: 'n > 3', kill: 'n > 9' }, [0.5, 'kill']],
    ['without a stop, the watch', 5, { watch: 'n > 9' }, [0.5, 'watch']],
    ['a number that faults shows nothing', 5, { pause: 'n / (n - 5) > 1' }, [0, 'pause']],
  ])('%s', (_, events, when, risk) => {
    expect(riskAfter(times(events), when)).toEqual(risk);
  });

  it('takes the nearest rule, and no shadow', () => {
    const plan = planOf([
      { id: 'far', when: { pause: 'n > 99' } },
      { id: 'near', when: { pause: 'n > 9' } },
      { id: 'shadow', mode: 'shadow', when: { pause: 'n > 6' } },
    ]);
    const log = new Log(plan);
    for (let i = 0; i < 5; i++) log.act(i);
    expect(riskGauge(plan)(log.partition.sessions.get('s-1')!)?.rule).toBe('near');
  });

  it('is unknown while nothing counts', () => {
    expect(riskAfter(times(3), { pause: 'n > 9' }, { match: { action: 'send' } })).toBeUndefined();
  });
});
