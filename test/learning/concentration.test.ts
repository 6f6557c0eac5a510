import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { limited, PARTIES_MIN, type Score, SHARE_MAX } from '../../src/learning/concentration.ts';

const PARTIES = ['agent', 'principal'] as const;

/** `count` sessions of so many agents, which reach no further than 10, and those that one more planted above them. */
function sessions(count: number, agents: number, planted = 0): Score[] {
  const honest = Array.from({ length: count }, (_, i): Score => {
    return {
      session: `s-${i}`,
      highest: ((i * 7919) % count) / (count / 10),
      agent: `a-${i % agents}`,
      principal: undefined,
    };
  });
  const others = Array.from({ length: planted }, (_, i): Score => {
    return { session: `p-${i}`, highest: 50 + i, agent: 'poisoner', principal: undefined };
  });
  return [...honest, ...others];
}

const scores = fc
  .array(
    fc.record({
      highest: fc.integer({ min: 0, max: 12 }),
      agent: fc.integer({ min: 0, max: 40 }).map((n) => `a-${n < 15 ? 0 : n}`),
      principal: fc.option(
        fc.integer({ min: 0, max: 30 }).map((n) => `p-${n}`),
        { nil: undefined },
      ),
    }),
    { maxLength: 400 },
  )
  .map((all) => all.map((one, i): Score => ({ ...one, session: `s-${i}` })));

describe('the say of one agent or principal in what certifies', () => {
  it('is at most its share of the sessions, and half of the top r for every r', () => {
    fc.assert(
      fc.property(scores, (all) => {
        const { kept, by } = limited(all);
        for (const party of PARTIES) {
          if (by[party].parties < PARTIES_MIN) continue;
          const counts = new Map<string | undefined, number>();
          for (const [i, one] of kept.entries()) {
            const count = (counts.get(one[party]) ?? 0) + 1;
            counts.set(one[party], count);
            if (one[party] !== undefined) expect(count).toBeLessThanOrEqual(Math.max(1, (i + 1) / 2));
          }
          counts.delete(undefined);
          // One session each is the least that can be, also where the other party's bound left few.
          for (const count of counts.values())
            expect(count).toBeLessThanOrEqual(Math.max(1, SHARE_MAX * kept.length + 1e-9));
        }
        expect(by.agent.leftOut + by.principal.leftOut).toBe(all.length - kept.length);
      }),
    );
  });

  it('does not depend on the order in which sessions come', () => {
    fc.assert(
      fc.property(scores, (all) => {
        expect(limited([...all].reverse())).toEqual(limited(all));
      }),
    );
  });

  it('falls, and leaves all of them where nobody has too many', () => {
    const { kept, by } = limited(sessions(800, 40));
    expect(kept).toHaveLength(800);
    expect(kept.map(({ highest }) => highest)).toEqual(kept.map(({ highest }) => highest).sort((a, b) => b - a));
    expect(by.agent).toEqual({ parties: 40, largest: { name: 'a-0', share: 1 / 40 }, leftOut: 0 });
    expect(by.principal).toEqual({ parties: 0, largest: undefined, leftOut: 0 });
  });

  it('moves a threshold by half of its rank at most, however many sessions are planted', () => {
    const r = 8;
    const honest = limited(sessions(8000, 40)).kept;
    for (const planted of [4, 8, 16, 400]) {
      const { kept } = limited(sessions(8000, 40, planted));
      expect(kept[r - 1]!.highest).toBeLessThanOrEqual(honest[r / 2 - 1]!.highest);
    }
  });

  it('takes the sessions of a large one by chance, not the lowest or the highest', () => {
    const all = sessions(4000, 40).map((one, i) => (i < 1600 ? { ...one, agent: 'large' } : one));
    const { kept, by } = limited(all);
    expect(by.agent.largest).toEqual({ name: 'large', share: 0.4 });
    const own = kept.filter(({ agent }) => agent === 'large').map(({ highest }) => highest);
    const before = all.filter(({ agent }) => agent === 'large').map(({ highest }) => highest);
    const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
    expect(own.length).toBeLessThanOrEqual(SHARE_MAX * kept.length);
    expect(own.length).toBeGreaterThan(100);
    // Of more than 100 drawn from a spread of 0 to 10 (deviation 2.9) the mean is good to 0.3.
    expect(Math.abs(mean(own) - mean(before))).toBeLessThan(1.2);
  });

  it('is not bounded where there are too few of them for such a share', () => {
    const all = sessions(400, PARTIES_MIN - 1);
    expect(limited(all).kept).toHaveLength(400);
    expect(limited(all).by.agent.largest!.share).toBeGreaterThan(SHARE_MAX);
  });
});
