import type { Finding } from '../../domain/finding.ts';
import { formatInstant } from '../../domain/instant.ts';
import { type Level, levelRank } from '../../domain/level.ts';
import type { Rule } from '../../domain/rule.ts';
import type { Reading } from '../gauge.ts';
import { nearnessOf } from './nearness.ts';
import { type NeededSteps, neededSteps } from './needed-steps.ts';
import { rerunOf, upTo } from './rerun.ts';
import { planOf, type SparedThreshold, sparedThresholds, type Untried } from './spared-threshold.ts';
import type { Rise, Silence, Story, StoryAction } from './story.ts';

/** In the place of a tool: nothing came. */
export const SILENCE = '(silence)';

/** An action as it is told: enough to find it again. */
export interface ToldStep {
  number: number;
  eventId: string;
  time: string;
  tool: string;
  resource?: string;
  outcome?: string;
  file: string;
  line: number;
}

/** What another run of the whole policy leads to, where a change spares the session from this rule alone. */
export interface StillRaised {
  rule: string;
  level: Level;
  number: number;
}

export interface StopExplained {
  level: Level;
  rule: Pick<Rule, 'id' | 'title' | 'severity' | 'when' | 'runbook' | 'falsePositives'>;
  step: ToldStep;
  /** Until when nothing came after the step, where that is what fired; null where the step did. */
  silentUntil: string | null;
  reason: string;
  /** What decided, and what it was compared with: nats where intents did. */
  score: number;
  threshold: number;
  command?: string;
  measures: Record<string, number>;
  baseline: Record<string, number>;
  evidence: NonNullable<Finding['evidence']>;
  evidenceOmitted: number;
  policyHash: string;
  thresholds: (SparedThreshold & { still: StillRaised | null })[];
  /** Null where other thresholds were tried. */
  thresholdsUntried: Untried | null;
  /** Judged up to the action that fired; the thresholds over all that is recorded. */
  steps: { claim: NeededSteps['claim'] | 'untried'; steps: ToldStep[]; still: StillRaised | null };
}

export interface TimelineRow extends ToldStep {
  level: Level;
  measures: Record<string, number>;
  bounds: Reading['bounds'];
}

export interface Explanation {
  session: string;
  agent: { id: string; role?: string | undefined };
  principal?: string;
  tenant?: string;
  /** After the last of them. */
  level: Level;
  actions: number;
  /** Actions at which no policy held: what began it is not in what was read. */
  unjudged: number;
  first: ToldStep;
  last: ToldStep;
  /** One for each pause and kill, and for a watch where nothing more happened. */
  stops: StopExplained[];
  /** Of the rules that fired; where none did, of the one that came nearest. */
  timelines: { rule: string; when: Rule['when']; fired: boolean; rows: TimelineRow[] }[];
}

/** Says of one session what fired, why, and what would have had to be different. */
export function explainStory(story: Story): Explanation {
  const { actions, rises } = story;
  const last = actions.at(-1)!;
  const { agent, principal, tenant } = last.event;
  const stops = rises.filter(({ level }) => level === 'paused' || level === 'killed');
  const told = stops.length > 0 ? stops : rises.slice(-1);
  const fired = [...new Set(told.map(({ rule }) => rule))];
  const shown = fired.length > 0 ? fired : nearestRule(actions);
  return {
    session: story.session,
    agent: { id: agent.id, role: agent.role },
    ...(principal === undefined ? {} : { principal: principal.id }),
    ...(tenant === undefined ? {} : { tenant }),
    level: rises.findLast(({ number, silence }) => silence && number === last.number)?.level ?? last.level,
    actions: actions.length,
    unjudged: actions.filter(({ plan }) => plan === undefined).length,
    first: toldStep(actions[0]!),
    last: toldStep(last),
    stops: told.map((rise) => explainStop(story, rise)),
    timelines: shown
      .filter((id) => ruleNamed(actions, id) !== undefined)
      .map((id) => ({
        rule: id,
        when: ruleNamed(actions, id)?.when ?? {},
        fired: fired.includes(id),
        rows: rowsOf(story, id),
      })),
  };
}

function explainStop(story: Story, rise: Rise): StopExplained {
  const { finding } = rise;
  const planned = planOf(story, rise);
  return {
    level: rise.level,
    rule: planned === undefined ? aboutIntent(rise) : aboutRule(planned.rule),
    step: toldStep(story.actions[rise.number - 1]!),
    silentUntil: rise.silence === undefined ? null : formatInstant(rise.silence.clockMs),
    reason: finding.reason,
    ...(rise.command === undefined ? {} : { command: rise.command.id }),
    score: finding.score ?? 0,
    threshold: finding.threshold ?? 0,
    measures: finding.measures ?? {},
    baseline: finding.baseline ?? {},
    evidence: finding.evidence ?? [],
    evidenceOmitted: finding.evidenceOmitted ?? 0,
    policyHash: finding.policyHash,
    ...(planned === undefined ? NOTHING_TRIED : whatIf(story, rise)),
  };
}

function aboutRule({ id, title, severity, when, runbook, falsePositives }: Rule): StopExplained['rule'] {
  return { id, title, severity, when, runbook, falsePositives };
}

/** The evidence of intents has no condition of its own: its numbers are score, threshold and baseline. */
function aboutIntent({ rule, finding }: Rise): StopExplained['rule'] {
  const { severity = 'high' } = finding;
  return { id: rule, title: 'evidence of intents', severity, when: {}, runbook: undefined, falsePositives: [] };
}

type WhatIf = Pick<StopExplained, 'thresholds' | 'thresholdsUntried' | 'steps'>;

const NOTHING_TRIED: WhatIf = {
  thresholds: [],
  thresholdsUntried: 'intent',
  steps: { claim: 'untried', steps: [], still: null },
};

function whatIf(story: Story, rise: Rise): WhatIf {
  const needed = neededSteps(story, rise);
  // Each of several needed steps was taken out alone, so the whole policy is asked without the first of them.
  const out = needed.claim === 'each' ? needed.steps.slice(0, 1) : needed.steps;
  const without = new Set(out.map(({ number }) => number));
  const asItWas = rerunOf(story, (one) => one);
  const found = sparedThresholds(story, rise);
  const spared = typeof found === 'string' ? [] : found;
  return {
    thresholds: spared.map((spared) => ({
      ...spared,
      still: stillRaised(rise, rerunOf(story, (one) => (one.id === rise.rule ? withThreshold(one, spared) : one))()),
    })),
    thresholdsUntried: typeof found === 'string' ? found : null,
    steps: {
      claim: needed.claim,
      steps: needed.steps.map(toldStep),
      still: needed.claim === 'none' ? null : stillRaised(rise, asItWas({ ...upTo(rise), without })),
    },
  };
}

function withThreshold(rule: Rule, { condition, text }: SparedThreshold): Rule {
  return { ...rule, when: { ...rule.when, [condition]: text } };
}

/** A change that spares from one rule may leave the session to another one, or to a higher condition. */
function stillRaised(before: Rise, rises: readonly Rise[]): StillRaised | null {
  const found = rises.find(({ level }) => levelRank(level) >= levelRank(before.level));
  return found === undefined ? null : { rule: found.rule, level: found.level, number: found.number };
}

/** The rule whose lowest condition was most nearly met by one action; none where no rule looked at any. */
function nearestRule(actions: readonly StoryAction[]): string[] {
  let nearest: { rule: string; share: number } | undefined;
  for (const { readings } of actions) {
    for (const { rule, bounds } of readings) {
      const share = nearnessOf(bounds);
      if (nearest === undefined || share > nearest.share) nearest = { rule, share };
    }
  }
  return nearest === undefined ? [] : [nearest.rule];
}

function rowsOf({ actions, rises }: Story, id: string): TimelineRow[] {
  return actions.flatMap((action) => {
    const silent = rises.filter(({ number, silence }) => silence && number === action.number);
    return [
      ...rowOf(toldStep(action), action, id),
      ...silent.flatMap(({ level, silence }) => rowOf(toldSilence(action, silence!), { ...silence!, level }, id)),
    ];
  });
}

function rowOf(
  told: ToldStep,
  { level, readings }: Pick<StoryAction, 'level' | 'readings'>,
  id: string,
): TimelineRow[] {
  const reading = readings.find(({ rule }) => rule === id);
  return reading === undefined ? [] : [{ ...told, level, measures: reading.measures, bounds: reading.bounds }];
}

function toldSilence({ number, event, file, line }: StoryAction, { clockMs }: Silence): ToldStep {
  return { number, eventId: event.id, time: formatInstant(clockMs), tool: SILENCE, file, line };
}

function ruleNamed(actions: readonly StoryAction[], id: string): Rule | undefined {
  const action = actions.findLast(({ readings }) => readings.some(({ rule }) => rule === id));
  for (const { rules } of action?.plan?.groups.values() ?? []) {
    const found = rules.find(({ rule }) => rule.id === id);
    if (found !== undefined) return found.rule;
  }
  return undefined;
}

function toldStep({ number, event, file, line }: StoryAction): ToldStep {
  const { id, time, tool, outcome, resource } = event;
  return {
    number,
    eventId: id,
    time,
    tool,
    ...(resource?.id === undefined ? {} : { resource: resource.id }),
    ...(outcome === undefined ? {} : { outcome }),
    file,
    line,
  };
}
