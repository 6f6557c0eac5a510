import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ActionEvent } from '../../src/domain/event.ts';
import { isActionEvent } from '../../src/domain/event-check.ts';
import { nearEvent, validEvent } from './event-arbitrary.ts';

describe('isActionEvent', () => {
  it('accepts every valid event', () => {
    fc.assert(
      fc.property(validEvent, (event) => {
        expect(isActionEvent(event)).toBe(true);
      }),
      { numRuns: 500 },
    );
  });

  it('answers as the schema does, near the border of what is valid', () => {
    const seen = { accepted: 0, refused: 0 };
    fc.assert(
      fc.property(nearEvent, (value) => {
        const verdict = isActionEvent(value);
        seen[verdict ? 'accepted' : 'refused']++;
        expect(verdict).toBe(ActionEvent.safeParse(value).success);
      }),
      { numRuns: 10_000 },
    );
    // A property over values of one kind only would prove nothing.
    expect(seen.accepted).toBeGreaterThan(1000);
    expect(seen.refused).toBeGreaterThan(1000);
  });

  it('answers as the schema does for anything', () => {
    fc.assert(
      fc.property(fc.anything({ size: 'medium', maxDepth: 2 }), (value) => {
        expect(isActionEvent(value)).toBe(ActionEvent.safeParse(value).success);
      }),
      { numRuns: 1000 },
    );
  });

  it('answers as the schema does for what JSON.parse makes of it', () => {
    fc.assert(
      fc.property(nearEvent, (value) => {
        const parsed: unknown = JSON.parse(JSON.stringify(value));
        expect(isActionEvent(parsed)).toBe(ActionEvent.safeParse(parsed).success);
      }),
      { numRuns: 5000 },
    );
  });
});
