import { beforeAll, describe, expect, it } from 'vitest';

/* The bench itself: small, with fixed seeds, so that it fails where the worlds, the attacks or a method are broken. */

interface Judged {
  detected: number;
  prevented: number;
}
interface Variant {
  rates: number[];
  attacks: Record<string, Judged[]>;
}
type Families = Record<string, Record<string, Variant>>;
interface Agents {
  /** By budget and design. */
  runAgents(task: object): { attacks: Record<string, Judged[][]>; stopped: { sessions: number }[][] };
  DESIGNS: object;
  SPREAD: object;
}
interface Drawn {
  times: number[];
  features: number[];
  marks: number[];
  harms: boolean[];
  attackedFrom: number;
}

const path = (file: string) => new URL(`./simulation/${file}`, import.meta.url).href;
const RECOMMENDED = 'recommended: four streams';
const SIZES = { learn: 1500, calibrate: 2000, test: 2000, attack: 25 };

let families: Families;
beforeAll(async () => {
  const { runSeed } = (await import(path('seed.mjs'))) as { runSeed(task: object): { families: Families } };
  families = runSeed({ world: 'main', seed: 3, sizes: SIZES }).families;
}, 60_000);

/** Mean over the attacks at 1 %. */
function detectedBy({ attacks }: Variant): number {
  const all = Object.values(attacks).map(([atOne]) => atOne!.detected);
  return all.reduce((sum, one) => sum + one, 0) / all.length;
}

/** Of the variant that detects most. */
function detected(family: string): number {
  return Math.max(...Object.values(families[family]!).map(detectedBy));
}

/**
 * What each variant detects in this very world. A comparator that is broken makes the recommended design look good, so
 * each is held from below and from above. z without a steadied variance is as bad as it looks: marks are sparse.
 */
const DETECTS: Record<string, Record<string, number>> = {
  'window count, global': { '10 min': 0.1, '1 h': 0.2, session: 0.54 },
  'window count, per cohort': { '10 min': 0.18, '1 h': 0.4, session: 0.78 },
  'decayed additive risk': {
    '1 h, even': 0.22,
    '8 h, even': 0.385,
    '24 h, even': 0.39,
    '1 h, rare': 0.21,
    '8 h, rare': 0.315,
    '24 h, rare': 0.265,
  },
  'z-score': { plain: 0.25, steadied: 0.39 },
  'CUSUM, negative binomial': { '2': 0.365, '4': 0.365, '8': 0.315 },
  'per cohort, de-bursted, burst': { plain: 0.82 },
  'z on this baseline, burst, tails': { plain: 0.01, steadied: 0.795 },
  'mixture e-process, calibrated': { plain: 0.68 },
  [RECOMMENDED]: { plain: 0.84 },
};
/** The seed is fixed: what is left is how engines round. */
const WITHIN = 0.05;

describe('the simulation bench', () => {
  it('holds every method to the same rate of false kills', () => {
    for (const variants of Object.values(families))
      for (const { rates } of Object.values(variants)) expect(rates[0]).toBeLessThan(0.03);
  });

  it('has no comparator that is dead, and none that is better than it was', () => {
    expect(Object.keys(families)).toEqual(Object.keys(DETECTS));
    for (const [family, variants] of Object.entries(families)) {
      expect(Object.keys(variants)).toEqual(Object.keys(DETECTS[family]!));
      for (const [name, variant] of Object.entries(variants)) {
        const off = Math.abs(detectedBy(variant) - DETECTS[family]![name]!);
        expect(off, `${family}, ${name}: detects ${detectedBy(variant)}`).toBeLessThan(WITHIN);
      }
    }
  });

  it('orders the methods as the scoring reference does', () => {
    const best = detected(RECOMMENDED);
    expect(best).toBeGreaterThan(0.65);
    for (const family of Object.keys(families)) expect(detected(family)).toBeLessThanOrEqual(best + 0.03);
    expect(detected('mixture e-process, calibrated')).toBeGreaterThan(detected('z-score'));
    expect(best - detected('decayed additive risk')).toBeGreaterThan(0.2);
  });

  it('finds a burst before half of it is done, and a staged exfiltration before anything is sent', () => {
    const { attacks } = families[RECOMMENDED]!['plain']!;
    expect(attacks['burst delete']![0]!.prevented).toBeGreaterThan(0.4);
    expect(attacks['staged exfiltration']![0]).toMatchObject({ detected: expect.closeTo(1, 0) });
    expect(attacks['slow 1.5x']![0]!.detected).toBeLessThan(attacks['slow 8x']![0]!.detected);
  });

  it('sees by agent what is spread over sessions, at no more stopped sessions', async () => {
    const { runAgents, DESIGNS, SPREAD } = (await import(path('agents.mjs'))) as Agents;
    const sizes = { learn: 200, calibrate: 300, test: 300, attack: 15 };
    const { attacks, stopped } = runAgents({ world: 'main', seed: 1, sizes });
    const of = (design: string) => Object.keys(DESIGNS).indexOf(design);
    const mean = (design: string, spread: boolean) => {
      const chosen = Object.entries(attacks).filter(([attack]) => attack in SPREAD === spread);
      return chosen.reduce((sum, [, [atOne]]) => sum + atOne![of(design)]!.detected, 0) / chosen.length;
    };
    for (const [design, spread, single] of [
      ['session alone', 0.41, 0.86],
      ['agent as one long session, alone', 0.19, 0.62],
      ['session and agent as one, even', 0.66, 0.87],
      ['session and sum, even', 0.44, 0.84],
    ] as const) {
      expect(Math.abs(mean(design, true) - spread), `${design}: ${mean(design, true)}`).toBeLessThan(WITHIN);
      expect(Math.abs(mean(design, false) - single), `${design}: ${mean(design, false)}`).toBeLessThan(WITHIN);
      expect(stopped[0]![of(design)]!.sessions).toBeLessThan(0.02);
    }
  });

  it('draws sessions of the described kind, and equal ones from equal seeds', async () => {
    const { World, Chance } = (await import(path('world.mjs'))) as {
      World: new (name: string, seed: number) => { session(chance: object, options?: object): Drawn };
      Chance: new (seed: number) => object;
    };
    const draw = (seed: number) => {
      const chance = new Chance(seed);
      const world = new World('main', seed);
      return Array.from({ length: 2000 }, () => world.session(chance));
    };
    const [sessions, again] = [draw(5), draw(5)];
    expect(again.map(({ times }) => times.length)).toEqual(sessions.map(({ times }) => times.length));
    const events = sessions.reduce((sum, { times }) => sum + times.length, 0) / sessions.length;
    expect(events).toBeGreaterThan(70);
    expect(events).toBeLessThan(200);
    for (const { times } of sessions) expect(times).toEqual(times.toSorted((a, b) => a - b));
    const { ATTACKS, attacked } = (await import(path('attacks.mjs'))) as {
      ATTACKS: Record<string, object>;
      attacked(world: object, chance: object, attack: object): Drawn;
    };
    for (const attack of Object.values(ATTACKS)) {
      const { times, harms, attackedFrom } = attacked(new World('main', 5), new Chance(6), attack);
      expect(harms.some(Boolean)).toBe(true);
      expect(times.every((atMs, i) => !harms[i] || atMs >= attackedFrom)).toBe(true);
      expect(times).toEqual(times.toSorted((a, b) => a - b));
    }
  });
});
