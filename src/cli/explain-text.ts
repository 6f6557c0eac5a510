import type { Explanation, StillRaised, StopExplained, TimelineRow, ToldStep } from '../app/explain/explanation.ts';
import { plainText } from '../domain/explain.ts';
import { CONDITIONS } from '../domain/level.ts';
import { counted } from './check.ts';
import { terminal } from './terminal.ts';
import { aligned, boundCell, shortNumber } from './test-timeline.ts';

const ROWS_MAX = 24;
const STEPS_MAX = 12;
const TEXT_MAX = 60;
const BAR_WIDTH = 20;

/** For whoever has to decide, and is tired: who, where, what, why, and what would have had to be different. */
export function explainText(explanation: Explanation): string {
  const { session, agent, principal, tenant, level, actions, first, last, stops, timelines } = explanation;
  const who = [
    `agent ${shown(agent.id)}${agent.role === undefined ? '' : ` (${shown(agent.role)})`}`,
    ...(principal === undefined ? [] : [`for ${shown(principal)}`]),
    ...(tenant === undefined ? [] : [`tenant ${shown(tenant)}`]),
  ].join(', ');
  const lines = [
    terminal().bold(`session ${shown(session)}: ${level}`),
    `  who    ${who}`,
    `  where  ${placeOf(first)} to line ${last.line}, ${counted(actions, 'action')}`,
    `  when   ${first.time} to ${last.time}`,
    ...stops.flatMap((stop) => ['', ...stopLines(stop)]),
    ...(stops.length === 0 ? ['', 'No rule raised it.'] : []),
    ...timelines.flatMap((one) => ['', ...timelineLines(one)]),
    ...(timelines.length === 0 ? ['No rule looks at any of its actions.'] : []),
  ];
  return `${lines.join('\n')}\n`;
}

function stopLines(stop: StopExplained): string[] {
  const { level, rule, step, reason, command, evidence, evidenceOmitted, thresholds, steps } = stop;
  const more = evidenceOmitted === 0 ? '' : `, the last of at least ${evidence.length + evidenceOmitted}`;
  return [
    terminal().bold(`${level.toUpperCase()} at action ${step.number} by ${rule.id} (${rule.severity}): ${rule.title}`),
    `  why    ${reason}`,
    `  what   ${stepText(step)}, ${placeOf(step)}`,
    ...(command === undefined ? [] : [`  command ${command}`]),
    `  steps that contributed${more}:`,
    ...aligned(
      evidence.map(({ time, tool, resource = '', contribution }) => [
        `    ${time}`,
        shown(tool),
        shown(resource),
        `+${shortNumber(contribution)}`,
      ]),
    ),
    `  ${rule.id} would not have ${VERB[level] ?? 'raised it'}`,
    ...thresholds.map(
      ({ condition, score, operator, threshold, was, still }) =>
        `    with ${condition} at ${score} ${operator} ${threshold} instead of ${operator} ${was}: the least change of this bound that spares it, over all that is recorded${stillText(still)}`,
    ),
    ...(thresholds.length === 0 && steps.claim !== 'untried' ? ['    by no other threshold alone that was found'] : []),
    `    ${CLAIMS[steps.claim](steps.steps.length, step.number)}${stillText(steps.still)}`,
    ...steps.steps.slice(0, STEPS_MAX).map((one) => `      ${one.number}. ${stepText(one)}`),
    ...(steps.steps.length > STEPS_MAX ? [`      and ${steps.steps.length - STEPS_MAX} more; --json has all`] : []),
    ...(rule.runbook === undefined ? [] : ['  look at', ...indented(rule.runbook)]),
    ...(rule.falsePositives.length === 0
      ? []
      : ['  honest work that looks like this', ...rule.falsePositives.map((one) => `    ${one}`)]),
  ];
}

const VERB: Record<string, string> = { watch: 'watched it', paused: 'paused it', killed: 'killed it' };

const CLAIMS: Record<StopExplained['steps']['claim'], (count: number, number: number) => string> = {
  each: (count, number) =>
    count === 1
      ? `at action ${number} without this step`
      : `at action ${number} without any one of these ${count} steps`,
  together: (count, number) =>
    `at action ${number} without these ${count} steps together; with any one of them back it would; another choice may do too`,
  sufficient: (count, number) =>
    `at action ${number} without these ${count} steps together; fewer may be enough: not every one was tried`,
  untried: () => 'what would have been enough was not tried: it is not a rule that fired',
  none: (_, number) => `without action ${number}, which is enough alone`,
};

function stillText(still: StillRaised | null): string {
  if (still === null) return '';
  return `; the session would still be ${still.level}, by ${still.rule} at action ${still.number}`;
}

function timelineLines({ rule, when, fired, rows }: Explanation['timelines'][number]): string[] {
  const conditions = CONDITIONS.filter((condition) => when[condition] !== undefined);
  const measures = Object.keys(rows[0]?.measures ?? {});
  const head = ['action', 'time', 'tool', 'level', ...measures, ...conditions.map((one) => `${one} at`), ''];
  const first = measures[0];
  const most = Math.max(...rows.map((row) => row.measures[first!] ?? 0));
  const cells = picked(rows).map((row) => [
    String(row.number),
    row.time,
    shown(row.tool),
    row.level,
    ...measures.map((name) => shortNumber(row.measures[name]!)),
    ...conditions.map((condition) => boundCell({ ...row, rule, values: [] }, condition)),
    '▇'.repeat(most > 0 ? Math.round(((row.measures[first!] ?? 0) / most) * BAR_WIDTH) : 0),
  ]);
  return [
    terminal().bold(`${fired ? '' : 'nearest: '}${rule} over ${counted(rows.length, 'action')} that it looks at`),
    ...conditions.map((condition) => `  ${condition.padEnd(5)} when ${when[condition]}`),
    ...aligned([head, ...cells]).map((line) => `  ${line}`),
  ];
}

/** Where the level or a condition changes, and an even choice of the others. */
function picked(rows: readonly TimelineRow[]): TimelineRow[] {
  const turns = rows.flatMap((row, index) =>
    index === 0 || stateOf(row) !== stateOf(rows[index - 1]!) ? [index - 1, index] : [],
  );
  const chosen = new Set([...turns, rows.length - 1].filter((index) => index >= 0));
  const room = Math.max(ROWS_MAX - chosen.size, 0);
  for (let i = 0; i < room; i++) chosen.add(Math.floor((i * rows.length) / room));
  return rows.filter((_, index) => chosen.has(index));
}

function stateOf({ level, bounds }: TimelineRow): string {
  return `${level} ${bounds.map(({ holds }) => holds).join(' ')}`;
}

function stepText({ time, tool, resource, outcome }: ToldStep): string {
  const to = resource === undefined ? '' : ` ${shown(resource)}`;
  return `${time} ${shown(tool)}${to}${outcome === undefined ? '' : ` (${outcome})`}`;
}

function placeOf({ file, line }: ToldStep): string {
  return `${file}:${line}`;
}

function shown(text: string): string {
  return plainText(text, TEXT_MAX);
}

function indented(text: string): string[] {
  return text
    .trimEnd()
    .split('\n')
    .map((line) => `    ${line}`);
}
