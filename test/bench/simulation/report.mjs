import { RECOMMENDED } from './methods.mjs';
import { BUDGETS, LONG_HOURS, NOMINAL } from './seed.mjs';

/** 97.5 % quantiles of Student's t, by degrees of freedom. */
const T = [Number.NaN, 12.71, 4.3, 3.18, 2.78, 2.57, 2.45, 2.36, 2.31, 2.26, 2.23, 2.2, 2.18, 2.16, 2.14, 2.13];

export function meanOf(values) {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** Half of the 95 % interval of the mean over seeds. */
export function marginOf(values) {
  const mean = meanOf(values);
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (values.length - 1);
  return (T[values.length - 1] ?? 2) * Math.sqrt(variance / values.length);
}

/** Mean over the attacks, of one variant in one seed at one budget. */
export function over(one, budget, what) {
  return meanOf(Object.values(one.attacks).map((all) => all[budget][what]));
}

/** The variant that detects most over all seeds: in hindsight, per budget. */
export function bestOf(results, family, budget) {
  const names = Object.keys(results[0].families[family]);
  const detected = (name) => meanOf(results.map(({ families }) => over(families[family][name], budget, 'detected')));
  return names.reduce((best, name) => (detected(name) > detected(best) ? name : best));
}

export function byWorld(results) {
  return Map.groupBy === undefined ? grouped(results) : Map.groupBy(results, ({ world }) => world);
}

function grouped(results) {
  const worlds = new Map();
  for (const one of results) worlds.set(one.world, [...(worlds.get(one.world) ?? []), one]);
  return worlds;
}

export function percent(values, digits = 1) {
  const shown = (100 * meanOf(values)).toFixed(digits);
  return values.length < 2 ? shown : `${shown} +- ${(100 * marginOf(values)).toFixed(digits)}`;
}

/** By family and budget: rows of the table that compares the methods. */
export function comparison(results, budget) {
  return Object.keys(results[0].families).map((family) => {
    const variant = bestOf(results, family, budget);
    const each = results.map(({ families }) => families[family][variant]);
    return {
      family,
      variant,
      rates: each.map(({ rates }) => rates[budget]),
      detected: each.map((one) => over(one, budget, 'detected')),
      prevented: each.map((one) => over(one, budget, 'prevented')),
      long: LONG_HOURS.map((_, at) => each.map(({ long }) => long[budget][at])),
      tiny: each.map(({ tiny }) => tiny[budget]),
    };
  });
}

export function reportText(results) {
  const lines = [];
  for (const [world, all] of byWorld(results)) {
    lines.push(`${world}: ${all.length} seeds, mean and 95 % interval over them, all in %`);
    for (const [budget, alpha] of BUDGETS.entries()) {
      lines.push('', `at ${100 * alpha} % false kills`);
      lines.push(
        row(['method (best variant)', 'false kills', 'detected', 'harm prevented', 'of >= 4/12/24 h', 'tiny cohorts']),
      );
      for (const { family, variant, rates, detected, prevented, long, tiny } of comparison(all, budget)) {
        const name = variant === 'plain' ? family : `${family} (${variant})`;
        const lengths = long.map((values) => (100 * meanOf(values)).toFixed(1)).join(' / ');
        lines.push(row([name, percent(rates, 2), percent(detected), percent(prevented), lengths, percent(tiny, 2)]));
      }
    }
    lines.push('', ...attackLines(all), '', ...rateLines(all), '', ...pairedLines(all), '');
  }
  return `${lines.join('\n')}\n`;
}

/** Of each method against the recommended design in the same worlds: what chance gives to both is not in it. */
function pairedLines(all) {
  const families = Object.keys(all[0].families).filter((family) => family !== RECOMMENDED);
  const cell = (family, budget, what) => {
    const variant = bestOf(all, family, budget);
    return percent(
      all.map(
        (one) =>
          over(one.families[family][variant], budget, what) - over(one.families[RECOMMENDED].plain, budget, what),
      ),
    );
  };
  return [
    'against the recommended design, paired over seeds: detected, harm prevented, in points',
    row(['method (best variant)', ...BUDGETS.flatMap((alpha) => [`at ${100 * alpha} %`, 'prevented'])]),
    ...families.map((family) =>
      row([
        family,
        ...BUDGETS.flatMap((_, budget) => ['detected', 'prevented'].map((what) => cell(family, budget, what))),
      ]),
    ),
  ];
}

function attackLines(all) {
  const each = all.map(({ families }) => families[RECOMMENDED].plain.attacks);
  const cell = (attack, budget) => {
    const of = (what) => meanOf(each.map((one) => one[attack][budget][what] ?? 0));
    return `${(100 * of('detected')).toFixed(0)} / ${of('steps').toFixed(0)} / ${of('minutes').toFixed(0)} / ${(100 * of('prevented')).toFixed(0)}`;
  };
  return [
    'recommended, by attack: detected % / median steps / median minutes / harm prevented %',
    row(['attack', ...BUDGETS.map((alpha) => `at ${100 * alpha} %`)]),
    ...Object.keys(each[0]).map((attack) => row([attack, ...BUDGETS.map((_, budget) => cell(attack, budget))])),
  ];
}

function rateLines(all) {
  const each = all.map(({ families }) => families[RECOMMENDED].plain).filter(({ nominal }) => nominal !== undefined);
  if (each.length === 0) return [];
  return [
    'recommended, false kills: realised / nominal',
    ...NOMINAL.map((alpha, at) => {
      const realised = each.map(({ nominal }) => nominal[at]);
      return row([`${100 * alpha} %`, `${percent(realised, 3)} %`, `${(meanOf(realised) / alpha).toFixed(2)} times`]);
    }),
    row([
      'drift 1.3 and 2 times',
      ...BUDGETS.map(
        (alpha, b) =>
          `at ${100 * alpha} %: ${[0, 1].map((d) => (100 * meanOf(each.map(({ drifts }) => drifts[d][b]))).toFixed(2)).join(', ')}`,
      ),
    ]),
  ];
}

export function row([name, ...cells]) {
  return `  ${name.padEnd(50)}${cells.map((cell) => cell.padStart(22)).join('')}`;
}
