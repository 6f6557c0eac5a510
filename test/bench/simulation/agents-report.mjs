import { AGENT_BUDGETS, DESIGNS, SPREAD } from './agents.mjs';
import { byWorld, meanOf, percent, row } from './report.mjs';

/** What a second unit of evidence gives and costs, beside the session alone: paired over seeds. */
export function agentsText(results) {
  const lines = [];
  const designs = Object.keys(DESIGNS);
  for (const [world, all] of byWorld(results)) {
    lines.push(`${world}: ${all.length} seeds of agents with ten sessions, mean and 95 % interval over them, all in %`);
    const attacks = Object.keys(all[0].attacks);
    const spread = attacks.filter((attack) => SPREAD[attack] !== undefined);
    const single = attacks.filter((attack) => SPREAD[attack] === undefined);
    for (const [budget, alpha] of AGENT_BUDGETS.entries()) {
      const of = (names, design, what) =>
        all.map((one) => meanOf(names.map((name) => one.attacks[name][budget][design][what])));
      const gain = (names, design, what) => {
        const alone = of(names, 0, what);
        return percent(of(names, design, what).map((value, at) => value - alone[at]));
      };
      lines.push(
        '',
        `at ${100 * alpha} %: spread over sessions, and in one session; gains are points over the session alone`,
      );
      lines.push(row(['unit', 'sessions, agents stopped', 'spread', 'gain', 'harm prevented', 'in one', 'gain']));
      for (const [at, design] of designs.entries()) {
        const stopped = (what) =>
          percent(
            all.map((one) => one.stopped[budget][at][what]),
            2,
          );
        lines.push(
          row([
            design,
            `${stopped('sessions')}, ${stopped('agents')}`,
            percent(of(spread, at, 'detected')),
            gain(spread, at, 'detected'),
            gain(spread, at, 'prevented'),
            percent(of(single, at, 'detected')),
            gain(single, at, 'detected'),
          ]),
        );
      }
      lines.push('', row(['detected', ...designs.map((_, at) => `(${at + 1})`)]));
      for (const attack of attacks)
        lines.push(row([attack, ...designs.map((_, at) => percent(of([attack], at, 'detected')).split(' ')[0])]));
    }
    lines.push('');
  }
  return `${lines.join('\n')}\n`;
}
