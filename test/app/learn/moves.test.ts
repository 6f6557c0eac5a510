import { describe, expect, it } from 'vitest';
import { movesBeyond } from '../../../src/app/learn/moves.ts';
import type { Baseline } from '../../../src/domain/baseline.ts';
import { baselineOf, intentOf } from '../../engine/evidence/lessons.ts';

const INTENT = intentOf({});
const BEFORE = withRates({ global: 0.125, mail: 0.25 });

/** Rates of marks per action; per active hour they are 300 times as many. */
function withRates({ global, mail, kill }: { global: number; mail?: number; kill?: number | null }): Baseline {
  const baseline = baselineOf([INTENT]);
  const learned = baseline.intents[INTENT.id]!;
  const model = (mu: number) => ({
    events: { ...learned.global.events, mu },
    active: { ...learned.global.active, mu: mu * 300 },
    n: 500,
  });
  const { c: _, ...never } = baseline.thresholds.kill;
  const killed = kill === null ? never : { ...baseline.thresholds.kill, c: kill ?? 6 };
  return {
    ...baseline,
    intents: {
      [INTENT.id]: { ...learned, global: model(global), cohorts: mail === undefined ? {} : { mail: model(mail) } },
    },
    thresholds: { ...baseline.thresholds, kill: killed },
  };
}

describe('the moves that a person has to accept', () => {
  it.each([
    ['nothing moved', { global: 0.125, mail: 0.25 }, []],
    ['raised up to the bounds', { global: 0.1875, mail: 0.375, kill: 7.19 }, []],
    ['fell, whatever how far', { global: 0.001, mail: 0.001, kill: 0.1 }, []],
    ['a threshold raised by more than a fifth', { global: 0.125, mail: 0.25, kill: 7.21 }, ['kill 6 -> 7.21']],
    ['a threshold that nothing reaches any more', { global: 0.125, mail: 0.25, kill: null }, ['kill 6 -> never']],
    [
      'rates raised by more than a half, the largest first',
      { global: 0.25, mail: 0.75 },
      ['mail events', 'mail active', ' events', ' active'],
    ],
    ['a cohort that is new', { global: 0.1 }, []],
  ])('%s', (_, after, expected) => {
    const moves = movesBeyond(BEFORE, withRates(after)).map((move) =>
      move.what === 'kill' ? `kill ${move.before} -> ${move.after ?? 'never'}` : `${move.cohort} ${move.clock}`,
    );
    expect(moves).toEqual(expected);
  });

  it('are none of an intent that marks something else now', () => {
    const after = withRates({ global: 0.9 });
    after.intents[INTENT.id]!.meaning = 'other';
    expect(movesBeyond(BEFORE, after)).toEqual([]);
  });

  it('are none of a threshold that was never reached before', () => {
    expect(movesBeyond(withRates({ global: 0.1, kill: null }), BEFORE)).toEqual([]);
  });
});
