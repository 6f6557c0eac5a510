import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { type Command, Option } from 'commander';
import { systemClock } from '../adapters/system-clock.ts';
import { readLabels } from '../app/backtest/labels.ts';
import { BASELINE_FILE, baselineAt, underBudgets } from '../app/baseline-file.ts';
import { CutSessions } from '../app/learn/cut-sessions.ts';
import { handOver } from '../app/learn/hand-over.ts';
import { COHORT_BY, cohortsFrom, learnBaseline, SPLIT } from '../app/learn/learner.ts';
import { Lessons } from '../app/learn/lesson.ts';
import { RuleNumbers } from '../app/learn/rule-numbers.ts';
import { loadPolicyFolder } from '../app/rule-folder.ts';
import {
  type Baseline,
  type Budgets,
  CONFIDENCES,
  type Confidence,
  DEFAULT_BUDGETS,
  ON_UNCERTIFIED,
} from '../domain/baseline.ts';
import type { PolicyBody } from '../domain/rule.ts';
import { parseShare, SHARE_ALLOWED } from '../domain/share.ts';
import { checkIntent } from '../engine/evidence/intent.ts';
import { quantilesOf } from '../engine/plan/learned.ts';
import { decodeRecord } from '../formats/log-record.ts';
import { openSource, type SourceOptions, sourceOptions } from './event-source.ts';
import { learnText } from './learn-text.ts';
import { BOUNDS_TEXT } from './moves-text.ts';
import { Progress } from './progress.ts';
import { configOptions } from './settings.ts';
import { SHIPPED_RULES } from './shipped.ts';

/** Ctrl-C ends the process: nothing is half written. */
const NEVER = new AbortController().signal;

interface Options extends SourceOptions {
  rules?: string;
  out?: string;
  labels?: string;
  watch?: number;
  pause?: number;
  kill?: number;
  confidence?: Confidence;
  onUncertified?: Budgets['onUncertified'];
  previous?: string;
  acceptMoves?: true;
}

export function registerLearn(program: Command): void {
  const command = sourceOptions(program.command('learn'))
    .description(
      'learn from recorded benign sessions what ordinary work looks like, and the thresholds that it certifies',
    )
    .option('--rules <dir>', 'folder with the intents; default: the one that ships')
    .option('--out <file>', `where to write the baseline; default: ${BASELINE_FILE} in the folder of the rules`)
    .option('--labels <file>', 'NDJSON lines {"session", "label"}: only those labelled benign are learned from')
    .option('--watch <share>', 'share of benign sessions that may ever be watched', budgetOf('--watch'))
    .option('--pause <share>', 'that may be paused', budgetOf('--pause'))
    .option('--kill <share>', 'that may be killed, such as "1 in 10000"', budgetOf('--kill'))
    .addOption(
      new Option('--confidence <kind>', 'marginal: on average; pac95: with 95 % confidence in this very draw').choices(
        CONFIDENCES,
      ),
    )
    .addOption(
      new Option(
        '--on-uncertified <action>',
        'what evidence does while sessions are too few to certify a kill',
      ).choices(ON_UNCERTIFIED),
    )
    .option('--previous <file>', 'baseline that the new one is held to; default: what --out would replace')
    .option('--accept-moves', `take over a baseline that raises more than one version may (${BOUNDS_TEXT})`)
    .addHelpText(
      'after',
      '\nBudgets that are not given are those of the folder (kind: policy, budgets), else 5 %, 0.5 % and 1 in 10,000.' +
        '\nA budget of 1 in N needs at least N - 1 complete sessions among those that certify thresholds (one in four).' +
        '\nOf a log, sessions are left out that Firebreak stopped and no person released, and those that a person stopped;' +
        '\na label benign brings them back.' +
        '\nOne version may raise the threshold of kill by a fifth and a rate by a half. What raises more is written beside' +
        '\nit as FILE.proposed, and replaces it with --accept-moves.' +
        '\nExit code: 0 when a baseline was written, 1 when it was only proposed, or the files or the rules cannot be used.' +
        '\n\nExamples:' +
        '\n  firebreak learn october.ndjson.gz --rules my-rules --kill "1 in 1000"' +
        '\n  firebreak learn --kafka --brokers localhost:9092 --since 2026-10-01T00:00:00Z --rules my-rules' +
        '\n  firebreak activate my-rules',
    );
  configOptions(command, (path) => path.startsWith('kafka.')).action(learn);
}

function budgetOf(flag: string): (text: string) => number {
  return (text) => {
    const share = parseShare(text);
    if (Number.isFinite(share)) return share;
    throw new Error(`${flag}: found "${text}"; allowed: ${SHARE_ALLOWED}`);
  };
}

async function learn(files: string[], options: Options): Promise<void> {
  const folder = options.rules ?? SHIPPED_RULES;
  const body = await loadPolicyFolder(folder);
  if (options.out === undefined && !(await stat(folder)).isDirectory())
    throw new Error(`--rules: ${folder} is a file, and a baseline stands in a folder; name one, or --out FILE`);
  const intents = intentsOf(body, folder);
  const out = options.out ?? join(folder, BASELINE_FILE);
  const budgets = budgetsOf(options, body.settings.budgets);
  const previous = options.acceptMoves ? undefined : await previousOf(options.previous, out);
  const labels = options.labels === undefined ? undefined : await readLabels(options.labels);
  const unitOf = (session: string) =>
    labels === undefined || labels.get(session)?.label === 'benign' ? session : undefined;
  const numbers = new RuleNumbers(body);
  const cohortBy = body.settings.cohort === undefined ? COHORT_BY : cohortsFrom(body.settings.cohort);
  const lessons = new Lessons(intents, cohortBy, body.settings, unitOf, (event) => numbers.looksAt(event));
  const progress = new Progress(process.stderr, systemClock);
  const { source, close } = await openSource(files, body.settings.delayMs, options);
  const cut = new CutSessions();
  let events = 0;
  try {
    for await (const item of source.items(NEVER)) {
      if (item.type !== 'record') continue;
      const { body: record, appendMs } = decodeRecord(item.raw, undefined);
      cut.note(record);
      if (record.type !== 'action') continue;
      lessons.add(record.event, appendMs);
      events++;
      progress.at(source.shareRead() ?? 0, () => `${events.toLocaleString('en')} events`);
    }
    progress.done();
    const whole = lessons.all.filter(({ session }) => labels?.has(session) === true || !cut.has(session));
    const rules = numbers.learn(whole);
    const { baseline: learned, certifying } = learnBaseline(intents, whole, { cohortBy, budgets, split: SPLIT });
    const baseline = rules === undefined ? learned : { ...learned, rules };
    const handed = await handOver(baseline, out, previous && underBudgets(previous, budgets));
    const left = lessons.all.length - whole.length;
    process.stderr.write(
      learnText(baseline, { events, cut: left, ...handed, confidence: budgets.confidence, certifying }),
    );
    if (handed.held.length > 0) process.exitCode = 1;
  } finally {
    progress.done();
    await close();
  }
}

/** What the new one is held to. No moves are looked for where there is none. */
async function previousOf(named: string | undefined, out: string): Promise<Baseline | undefined> {
  const previous = await baselineAt(named ?? out);
  if (previous === undefined && named !== undefined) throw new Error(`--previous: no baseline at ${named}`);
  return previous;
}

/** What the command line says, else the folder. */
function budgetsOf({ watch, pause, kill, confidence, onUncertified }: Options, folder: Budgets | undefined): Budgets {
  const said = Object.entries({ watch, pause, kill, confidence, onUncertified }).filter(
    ([, value]) => value !== undefined,
  );
  return { ...DEFAULT_BUDGETS, ...folder, ...Object.fromEntries(said) };
}

function intentsOf({ intents = [], rules }: PolicyBody, folder: string) {
  if (intents.length === 0 && rules.every((rule) => quantilesOf(rule).length === 0))
    throw new Error(
      `nothing to learn in ${folder}: no document with kind: intent, no rule with baselineDefaults; see rules/README.md`,
    );
  return intents.flatMap((intent) => {
    const result = checkIntent(intent);
    return result.ok ? [result.checked] : []; // `loadPolicyFolder` has refused every other one
  });
}
