import { describe, expect, it } from 'vitest';
import { checkIntent } from '../../../src/engine/evidence/intent.ts';
import { commandsOf, findingsOf, Log, START_MS } from '../harness.ts';
import { checkedOf, intentOf, planWith } from './lessons.ts';

const DAY = 86_400_000;
const DATES = { shadowFrom: '2026-01-07', enforceFrom: '2026-01-10' };

describe('an intent dwells in each mode', () => {
  it.each([
    ['discover', '2026-01-06T23:59:59Z', DATES],
    ['shadow', '2026-01-07T00:00:00Z', DATES],
    ['shadow', '2026-01-09T23:59:59Z', DATES],
    ['enforce', '2026-01-10T00:00:00Z', DATES],
    ['shadow', '2026-01-09T00:00:00Z', { enforceFrom: '2026-01-10' }],
    ['enforce', '2026-01-08T00:00:00Z', { shadowFrom: '2026-01-07' }],
    ['shadow', '2027-01-01T00:00:00Z', { mode: 'shadow', shadowFrom: '2026-01-07' }],
    ['discover', '2026-01-06T00:00:00Z', { mode: 'shadow', shadowFrom: '2026-01-07' }],
    ['enforce', '2026-01-01T00:00:00Z', {}],
  ])('%s at %s, %j', (mode, at, fields) => {
    expect(checkedOf(intentOf(fields)).modeAt(Date.parse(at))).toBe(mode);
  });

  it.each([
    [{ mode: 'discover', shadowFrom: '2026-01-07' }, 'mode is discover, and no day changes that'],
    [{ mode: 'shadow', enforceFrom: '2026-01-07' }, 'mode is shadow, and no day changes that'],
    [{ shadowFrom: '2026-01-11', enforceFrom: '2026-01-10' }, '2026-01-10 is before shadowFrom, 2026-01-11'],
  ])('%j is refused', (fields, message) => {
    const result = checkIntent(intentOf(fields));
    expect(result.ok ? [] : result.problems.map((problem) => problem.message)).toEqual([
      expect.stringContaining(message),
    ]);
  });

  it('by the time of the log: first silence, then findings, then a kill, with one count all along', () => {
    const log = new Log(planWith([intentOf(DATES)]));
    const day = (n: number) => {
      const atMs = Date.UTC(2026, 0, n) - START_MS;
      return Array.from({ length: 40 }, (_, i) => log.act(atMs + i * 120_000, { session: `s-${n}` })).flat();
    };
    expect(day(6)).toEqual([]);
    expect(new Set(findingsOf(day(8)))).toEqual(new Set(['shadow_hit']));
    expect(commandsOf(day(10))).toContain('kill s-10');
    expect(log.partition.state.clockMs - START_MS).toBeGreaterThan(4 * DAY);
  });
});
