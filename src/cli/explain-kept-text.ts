import type { KeptEvidence, KeptExplanation, KeptRule } from '../app/explain/kept.ts';
import { CONDITIONS } from '../domain/level.ts';
import { counted } from './check.ts';
import { hanging } from './columns.ts';
import { evidenceLines, shown, title, whoText } from './explain-text.ts';
import { boundCell, shortNumber } from './test-timeline.ts';

/** How a session stands by what Redis keeps of it: of each rule what it measures, against what. */
export function keptText(kept: KeptExplanation, width: number): string {
  const { session, level, begun, clock, actions, degraded, policy, judgedBy, rules, intents } = kept;
  const lines = [
    ...title(`session ${shown(session)}: ${level}`, width),
    ...hanging('  who    ', whoText(kept), width),
    ...hanging('  when   ', `begun ${begun}, ${counted(actions, 'action')}, the last by ${clock}`, width),
    ...(degraded ? hanging('  but    ', 'rebuilt from a part of the log: it may be paused, not killed', width) : []),
    ...(policy === judgedBy ? [] : hanging('  but    ', OTHER_RULES, width)),
    ...rules.flatMap((one) => ['', ...ruleLines(one, width)]),
    ...(intents === undefined ? [] : ['', ...hanging('intents  ', intentsText(intents), width)]),
    ...(rules.length === 0 && intents === undefined
      ? ['', level === 'killed' ? ONLY_THE_KILL : 'No rule looks at any of its actions.']
      : []),
    '',
    ...hanging(
      '',
      'This is how it stands at its last action. Why it came there, the log tells: without --kept.',
      width,
    ),
  ];
  return `${lines.join('\n')}\n`;
}

const OTHER_RULES = 'it was judged last by another policy than these rules: what only they measure begins at nothing';
const ONLY_THE_KILL = 'Of a killed session only the kill is kept.';

function ruleLines({ rule, measures, bounds, exceptions, steps, passed }: KeptRule, width: number): string[] {
  const shadow = rule.mode === 'shadow' ? ', in the shadow' : '';
  const last = steps.length < passed ? `, the last ${steps.length} of ${passed}` : '';
  return [
    ...title(`${rule.id} (${rule.severity}${shadow}): ${rule.title}`, width),
    ...hanging(
      '  now    ',
      Object.entries(measures)
        .map(([name, value]) => `${name} ${shortNumber(value)}`)
        .join(', '),
      width,
    ),
    ...CONDITIONS.filter((condition) => rule.when[condition] !== undefined).flatMap((condition) =>
      hanging(
        `  ${condition.padEnd(5)}  `,
        `${boundText({ rule, bounds }, condition)}when ${rule.when[condition]}`,
        width,
      ),
    ),
    ...(exceptions === 0
      ? []
      : hanging('  but    ', `it has ${counted(exceptions, 'exception')}: what they cover counts here too`, width)),
    ...(steps.length === 0 ? [] : [`  steps that it looks at${last}:`, ...evidenceLines(steps, width)]),
  ];
}

function boundText({ rule: { id }, bounds }: Pick<KeptRule, 'rule' | 'bounds'>, condition: string): string {
  const cell = boundCell({ rule: id, measures: {}, bounds, values: [] }, condition);
  return cell === '·' ? '' : `at ${cell}, `;
}

function intentsText({ intent, evidence, highest, thresholds }: KeptEvidence): string {
  const bounds = Object.entries(thresholds).map(
    ([condition, threshold]) => `${condition} at ${shortNumber(threshold)}`,
  );
  return [
    `evidence of ${shortNumber(evidence)} nats${intent === undefined ? '' : ` by ${intent}`}`,
    ...(highest > evidence ? [`at its highest ${shortNumber(highest)}`] : []),
    ...bounds,
  ].join(', ');
}
