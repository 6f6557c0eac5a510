import type { Explanation, StillRaised, StopExplained, ToldStep } from '../app/explain/explanation.ts';
import { plainText } from '../domain/explain.ts';
import { counted } from './check.ts';
import { alignedWithin, hanging } from './columns.ts';
import { timelineLines } from './explain-timeline.ts';
import { terminal } from './terminal.ts';
import { shortNumber } from './test-timeline.ts';

const STEPS_MAX = 12;
const TEXT_MAX = 60;

/** For whoever has to decide, and is tired: who, where, what, why, and what would have had to be different. */
export function explainText(explanation: Explanation, width: number): string {
  const { level, actions, unjudged, first, last, stops, timelines } = explanation;
  const until = first.file === last.file ? `${last.line}` : placeOf(last);
  const lines = [
    ...title(`session ${shown(explanation.session)}: ${level}`, width),
    ...hanging('  who    ', whoText(explanation), width),
    ...hanging('  where  ', `${placeOf(first)} to ${until}, ${counted(actions, 'action')}`, width),
    ...hanging('  when   ', `${first.time} to ${last.time}`, width),
    ...(unjudged === 0 ? [] : ['', ...hanging('', unjudgedText(unjudged), width)]),
    ...stops.flatMap((stop) => ['', ...stopLines(stop, width)]),
    ...(stops.length === 0 ? ['', 'No rule raised it.'] : []),
    ...timelines.flatMap((one) => ['', ...timelineLines(one, width)]),
    ...(timelines.length === 0 && stops.length === 0 ? ['No rule looks at any of its actions.'] : []),
  ];
  return `${lines.join('\n')}\n`;
}

interface Who {
  agent: Explanation['agent'];
  principal?: string | undefined;
  tenant?: string | undefined;
}

export function whoText({ agent, principal, tenant }: Who): string {
  return [
    `agent ${shown(agent.id)}${agent.role === undefined ? '' : ` (${shown(agent.role)})`}`,
    ...(principal === undefined ? [] : [`for ${shown(principal)}`]),
    ...(tenant === undefined ? [] : [`tenant ${shown(tenant)}`]),
  ].join(', ');
}

export function title(text: string, width: number): string[] {
  return hanging('', text, width).map((line) => terminal().bold(line));
}

/** `time  tool  resource  +1` of each. */
export function evidenceLines(evidence: StopExplained['evidence'], width: number): string[] {
  const rows = evidence.map(({ time, tool, resource = '', contribution }) => [
    `    ${time}`,
    shown(tool),
    shown(resource),
    `+${shortNumber(contribution)}`,
  ]);
  return alignedWithin(rows, width, [1, 2]);
}

function unjudgedText(count: number): string {
  return (
    `No policy held at ${counted(count, 'action')}: the record that began it is not in what was read. ` +
    'Give the rules to judge by: --rules DIR'
  );
}

function stopLines(stop: StopExplained, width: number): string[] {
  const { level, rule, step, silentUntil, reason, command, evidence, evidenceOmitted } = stop;
  const { thresholds, thresholdsUntried, steps } = stop;
  const where = silentUntil === null ? `at action ${step.number}` : `after action ${step.number}`;
  const more = evidenceOmitted === 0 ? '' : `, the last of at least ${evidence.length + evidenceOmitted}`;
  const spared = (text: string) => hanging('    ', text, width);
  return [
    ...title(`${level.toUpperCase()} ${where} by ${rule.id} (${rule.severity}): ${rule.title}`, width),
    ...hanging('  why    ', reason, width),
    ...(thresholdsUntried === 'intent' ? hanging('  score  ', intentNumbers(stop), width) : []),
    ...hanging('  what   ', `${silentText(silentUntil)}${stepText(step)}, ${placeOf(step)}`, width),
    ...(command === undefined ? [] : [`  command ${command}`]),
    `  steps that contributed${more}:`,
    ...evidenceLines(evidence, width),
    ...(thresholdsUntried === 'intent'
      ? hanging('  ', UNTRIED.intent, width)
      : [
          ...hanging('  ', `${rule.id} would not have ${VERB[level] ?? 'raised it'}`, width),
          ...thresholds.flatMap((one) => spared(thresholdText(one))),
          ...(thresholdsUntried !== null ? spared(UNTRIED[thresholdsUntried]) : []),
          ...(thresholdsUntried === null && thresholds.length === 0
            ? spared('by no other threshold alone that was found')
            : []),
          ...spared(`${CLAIMS[steps.claim](steps.steps.length, where, step.number)}${stillText(steps.still)}`),
          ...steps.steps.slice(0, STEPS_MAX).flatMap((one) => hanging(`      ${one.number}. `, stepText(one), width)),
        ]),
    ...(steps.steps.length > STEPS_MAX ? [`      and ${steps.steps.length - STEPS_MAX} more; --json has all`] : []),
    ...(rule.runbook === undefined ? [] : ['  look at', ...paragraphs(rule.runbook, width)]),
    ...(rule.falsePositives.length === 0
      ? []
      : ['  honest work that looks like this', ...rule.falsePositives.flatMap((one) => hanging('    - ', one, width))]),
  ];
}

const VERB: Record<string, string> = { watch: 'watched it', paused: 'paused it', killed: 'killed it' };

const UNTRIED: Record<NonNullable<StopExplained['thresholdsUntried']>, string> = {
  intent:
    'What would have spared it was not tried: intents are weighed against what was learned of benign sessions, and have' +
    ' no condition of their own.',
  exceptions:
    'by another threshold perhaps: none was tried, because its exceptions hold a second bound over a second count',
  no_threshold: 'by no other threshold: its condition compares with none',
};

/** `where`: at or after which action it fired. */
const CLAIMS: Record<StopExplained['steps']['claim'], (count: number, where: string, number: number) => string> = {
  each: (count, where) =>
    count === 1 ? `${where} without this step` : `${where} without any one of these ${count} steps`,
  together: (count, where) =>
    `${where} without these ${count} steps together; with any one of them back it would; another choice may do too`,
  sufficient: (count, where) =>
    `${where} without these ${count} steps together; fewer may be enough: not every one was tried`,
  untried: () => 'without some of its steps perhaps: none was left out',
  none: (_, __, number) => `without action ${number}, which is enough alone`,
};

function silentText(silentUntil: string | null): string {
  return silentUntil === null ? '' : `nothing that it waits for until ${silentUntil}; the action before: `;
}

/** What the threshold of the evidence promises, as it was learned. */
function intentNumbers({ level, score, threshold, baseline }: StopExplained): string {
  const { alpha, n, expected } = baseline;
  return [
    `evidence of ${shortNumber(score)} nats, ${shortNumber(threshold)} or more is ${level}`,
    ...(expected === undefined ? [] : [`${shortNumber(expected)} marks were expected`]),
    ...(alpha === undefined ? [] : [`at most ${shortNumber(alpha * 100)} % of the benign ones, certified by ${n}`]),
  ].join('; ');
}

function thresholdText({
  condition,
  score,
  operator,
  threshold,
  was,
  still,
}: StopExplained['thresholds'][number]): string {
  return (
    `with ${condition} at ${score} ${operator} ${threshold} instead of ${operator} ${was}: the least change of this ` +
    `bound that spares it, over all that was read${stillText(still)}`
  );
}

function stillText(still: StillRaised | null): string {
  if (still === null) return '';
  return `; the session would still be ${still.level}, by ${still.rule} at action ${still.number}`;
}

function stepText({ time, tool, resource, outcome }: ToldStep): string {
  const to = resource === undefined ? '' : ` ${shown(resource)}`;
  return `${time} ${shown(tool)}${to}${outcome === undefined ? '' : ` (${outcome})`}`;
}

function placeOf({ file, line }: ToldStep): string {
  return `${file}:${line}`;
}

export function shown(text: string): string {
  return plainText(text, TEXT_MAX);
}

/** A line of a list hangs on its number. */
const LISTED = /^(\s*(?:\d+\.\s+|[-*]\s+)?)(.*)$/;

function paragraphs(text: string, width: number): string[] {
  return text
    .trimEnd()
    .split('\n')
    .flatMap((line) => {
      const [, head, rest] = LISTED.exec(line)!;
      return hanging(`    ${head}`, rest!, width);
    });
}
