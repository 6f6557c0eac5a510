import { canonicalJson } from '../../domain/canonical-json.ts';
import { formatDuration, parseDuration } from '../../domain/duration.ts';
import type { ActionEvent } from '../../domain/event.ts';
import { FIELD_NAMES, type FieldValue, fieldOf } from '../../domain/fields.ts';
import type { Match } from '../../domain/match.ts';
import type { StepsMeasure } from '../../domain/rule.ts';
import { SEQUENCE_RUNS_MAX } from '../../domain/sequence.ts';
import { hint } from '../expression/names.ts';
import { fingerprintOf } from '../fingerprint.ts';
import { compileMatch, type EventTest } from '../match/compile.ts';
import type { RuleProblem } from '../problem.ts';
import { PARTS_PER_WINDOW } from '../window/sliding-sum.ts';
import { NONE, type Stage, type Steps, type StepsPlan, UNTIL } from './plan.ts';

type Path = RuleProblem['path'];
export type WrittenStep = Extract<StepsMeasure, { sequence: unknown }>['sequence'][number];

export function stepsOf(measure: StepsMeasure): readonly WrittenStep[] {
  return 'sequence' in measure ? measure.sequence : measure.temporal;
}

/** Reports every mistake with its path. The plan is usable only where there was none. `windowMs`: the rule's. */
export function compileSteps(measure: StepsMeasure, windowMs: number, path: Path, problems: RuleProblem[]): StepsPlan {
  const order = 'sequence' in measure ? 'sequence' : 'temporal';
  const steps = stepsOf(measure);
  const report = (place: Path, message: string) => problems.push({ path: [...path, ...place], message });
  const lengths = lengthsOf(measure, windowMs, report);
  steps.forEach((step, at) => {
    for (const message of shapeProblems(step, at, steps.length)) report([order, at], message);
  });
  const runs = steps.reduce((sum, step) => sum + (step.runs ?? 1), 0);
  if (runs > SEQUENCE_RUNS_MAX) report([order], `the runs of all steps come to ${runs}; at most ${SEQUENCE_RUNS_MAX}`);

  const testOf = (match: Match, place: Path) => compileMatch(match, problems, [...path, ...place]).test;
  const tests: { bits: Steps; test: EventTest }[] = steps.map(({ match, missing }, at) => ({
    bits: 1 << at,
    test: testOf(match ?? missing ?? {}, [order, at, match === undefined ? 'missing' : 'match']),
  }));
  if (measure.until !== undefined) tests.push({ bits: UNTIL, test: testOf(measure.until, ['until']) });
  const fields = [measure.same ?? []].flat();
  const reads = fields.flatMap((name, at) => readOf(name, (message) => report(sameAt(measure, at), message)) ?? []);
  const { stages, deadline } = stagesOf(steps, lengths);
  const taking = stages.reduce((all, { step }) => all | step, NONE);
  return {
    order,
    meaning: meaningOf(measure, lengths),
    stages,
    maxspanMs: lengths.maxspanMs,
    // In a sequence a moment decides which came first; without order it only decides how long an action is seen.
    toleranceMs: order === 'sequence' ? 0 : lengths.maxspanMs / PARTS_PER_WINDOW,
    deadline,
    beginning: order === 'sequence' ? 1 : taking,
    taking,
    look: (event) => tests.reduce((seen, { bits, test }) => (test(event) ? seen | bits : seen), NONE),
    keyOf: (event) => keyOf(reads, event),
  };
}

type Report = (place: Path, message: string) => void;

interface Lengths {
  maxspanMs: number;
  /** Of each step. */
  withinMs: number[];
}

/** Infinity where nothing bounds it. */
function lengthsOf(measure: StepsMeasure, windowMs: number, report: Report): Lengths {
  const isSequence = 'sequence' in measure;
  const read = (text: string | undefined, place: Path, outer: { name: string; ms: number }) => {
    if (text === undefined) return outer.ms;
    const ms = parseDuration(text);
    const shown = `found ${text}; allowed: `;
    if (ms <= 0) report(place, `${shown}more than nothing`);
    if (ms > outer.ms)
      report(place, `${shown}at most ${outer.name}, ${formatDuration(outer.ms)}, which ends it before`);
    return ms;
  };
  const window = { name: 'the window of the rule', ms: windowMs };
  const maxspanMs = read(measure.maxspan, ['maxspan'], window);
  const span = measure.maxspan === undefined ? window : { name: 'maxspan', ms: maxspanMs };
  const gapMs = isSequence ? read(measure.gap, ['gap'], span) : Number.POSITIVE_INFINITY;
  const withinMs = stepsOf(measure).map(({ within, missing }, at) => {
    if (within === undefined) return gapMs;
    return read(within, ['sequence', at, 'within'], missing === undefined ? span : window);
  });
  return { maxspanMs, withinMs };
}

function shapeProblems({ match, missing, runs, within }: WrittenStep, at: number, length: number): string[] {
  const isLast = at === length - 1;
  if ((match === undefined) === (missing === undefined)) {
    return [`a step has either match or missing; found ${match === undefined ? 'neither' : 'both'}`];
  }
  if (missing === undefined) return [];
  return [
    ...(at === 0 ? ['the first step is one that comes: what is missing is missing after something'] : []),
    ...(runs === undefined ? [] : ['what is missing has no runs']),
    ...(isLast && within === undefined
      ? ['the last step is missing, so it needs a deadline, such as within: 10m']
      : []),
    ...(!isLast && within !== undefined
      ? ['what is missing between two steps takes no within: the next step ends it']
      : []),
  ];
}

function sameAt({ same }: StepsMeasure, at: number): Path {
  return Array.isArray(same) ? ['same', at] : ['same'];
}

type Read = (event: ActionEvent) => FieldValue;

function readOf(name: string, report: (message: string) => void): Read | undefined {
  const field = fieldOf(name);
  if (field === undefined) report(`unknown field "${name}"${hint(name, FIELD_NAMES)}`);
  else if (field.type === 'list') report(`"${name}" is a list; same compares one value, such as resource.id`);
  return field?.read;
}

/** Without fields all actions are of the same value. */
function keyOf(reads: readonly Read[], event: ActionEvent): number | undefined {
  const values = reads.map((read) => read(event));
  return values.some((value) => value === undefined || value === null) ? undefined : fingerprintOf(values);
}

function stagesOf(steps: readonly WrittenStep[], { withinMs }: Lengths): Pick<StepsPlan, 'stages' | 'deadline'> {
  const stages: Stage[] = [];
  let unless = NONE;
  for (const [at, { missing, runs = 1 }] of steps.entries()) {
    if (missing !== undefined) unless |= 1 << at;
    else {
      for (let run = 0; run < runs; run++) {
        stages.push({ step: 1 << at, gapMs: withinMs[at]!, unless: run === 0 ? unless : NONE });
      }
      unless = NONE;
    }
  }
  return { stages, deadline: unless === NONE ? undefined : { unless, withinMs: withinMs.at(-1)! } };
}

/** What decides, and nothing else: names and the spelling of a duration do not. Infinity, which JSON lacks, is null. */
function meaningOf(measure: StepsMeasure, { maxspanMs, withinMs }: Lengths): string {
  const finite = (ms: number) => (Number.isFinite(ms) ? ms : null);
  const steps = stepsOf(measure).map(({ match, missing, runs = 1 }, at) => ({
    ...(match === undefined ? { missing: missing ?? null } : { match }),
    runs,
    withinMs: finite(withinMs[at]!),
  }));
  return canonicalJson({
    order: 'sequence' in measure ? 'sequence' : 'temporal',
    maxspanMs: finite(maxspanMs),
    same: [measure.same ?? []].flat(),
    steps,
    until: measure.until ?? null,
  });
}
