import { stat } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { type Command, Option } from 'commander';
import { systemClock } from '../adapters/system-clock.ts';
import { type Label, readLabels } from '../app/backtest/labels.ts';
import { BASELINE_FILE, baselineAt, underBudgets } from '../app/baseline-file.ts';
import type { CutSessions } from '../app/learn/cut-sessions.ts';
import { handOver } from '../app/learn/hand-over.ts';
import { learn as learnBaseline } from '../app/learn/learner.ts';
import { Reading } from '../app/learn/reading.ts';
import { Spool, type SpoolIdentity } from '../app/learn/spool.ts';
import { spoolIdentity } from '../app/learn/spool-identity.ts';
import { subjectOf } from '../app/learn/subject.ts';
import { startRoom } from '../app/learn/threads.ts';
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
import { quantilesOf } from '../engine/plan/learned.ts';
import { baselineSigner } from './baseline-signer.ts';
import { openSource, type SourceOptions, sourceOptions } from './event-source.ts';
import { learnText } from './learn-text.ts';
import { BOUNDS_TEXT } from './moves-text.ts';
import { Progress } from './progress.ts';
import { configOf, configOptions } from './settings.ts';
import { packageVersion, SHIPPED_RULES } from './shipped.ts';
import { workersOf } from './workers.ts';

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
  sign?: true;
  state?: string;
  workers: number;
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
    .option('--sign', 'sign what is taken over with the key of --keys, whose role is learner')
    .option('--state <dir>', 'where what was read is kept until it is learned from; default: beside --out')
    .option('--workers <n>', 'threads; any number gives the same baseline', workersOf, availableParallelism())
    .addHelpText(
      'after',
      '\nBudgets that are not given are those of the folder (kind: policy, budgets), else 5 %, 0.5 % and 1 in 10,000.' +
        '\nA budget of 1 in N needs at least N - 1 complete sessions among those that certify thresholds (one in four).' +
        '\nOf a log, sessions are left out that Firebreak stopped and no person released, and those that a person stopped;' +
        '\na label benign brings them back.' +
        '\nOne version may raise the threshold of kill by a fifth and a rate by a half. What raises more is written beside' +
        '\nit as FILE.proposed, and replaces it with --accept-moves.' +
        '\nA run that was interrupted goes on where it was when it is started again with the same input and rules; of the log' +
        '\nit keeps only what intents and rules look at, and removes that when it is done. Standard input is not kept.' +
        '\nExit code: 0 when a baseline was written, 1 when it was only proposed, or the files or the rules cannot be used.' +
        '\n\nExamples:' +
        '\n  firebreak learn october.ndjson.gz --rules my-rules --kill "1 in 1000"' +
        '\n  firebreak learn --kafka --brokers localhost:9092 --since 2026-10-01T00:00:00Z --rules my-rules' +
        '\n  firebreak learn october.ndjson.gz --rules my-rules --sign --keys learner.keys.json' +
        '\n  firebreak activate my-rules',
    );
  configOptions(command, (path) => path.startsWith('kafka.') || path === 'keys.file').action(learn);
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
  refuseNothing(body, folder);
  const out = options.out ?? join(folder, BASELINE_FILE);
  const budgets = budgetsOf(options, body.settings.budgets);
  const sign = options.sign && (await baselineSigner(configOf(options).keys.file));
  const previous = options.acceptMoves ? undefined : await previousOf(options.previous, out);
  const benign = options.labels === undefined ? undefined : benignOf(await readLabels(options.labels));
  const { source, identity, close } = await openSource(files, body.settings.delayMs, options);
  const rooms = Array.from({ length: options.workers }, (_, room) =>
    startRoom({ body, room, rooms: options.workers, benign }),
  );
  const progress = new Progress(process.stderr, systemClock);
  const at = phases(progress);
  let spool: Spool | undefined;
  try {
    const kept = { body, benign, input: identity, version: packageVersion() };
    spool = await spoolOf(files, options.state, `${out}.learning`, () => spoolIdentity(kept));
    const reading = new Reading(source, rooms, { spool, delayMs: body.settings.delayMs });
    const events = () => `${reading.actions.toLocaleString('en')} events`;
    await reading.read(() => at('reading', source.shareRead() ?? 0, events));
    const cut = leftOut(reading.cut, benign);
    const lives = await Promise.all(rooms.map((room) => room.begin(cut)));
    const { baseline, certifying } = await learnBaseline(rooms, subjectOf(body), budgets, at);
    progress.done();
    const handed = await handOver(baseline, out, previous && underBudgets(previous, budgets), sign);
    const counts = { events: reading.actions, resumed: reading.resumed, cut: lives.reduce((sum, one) => sum + one, 0) };
    process.stderr.write(learnText(baseline, { ...counts, ...handed, confidence: budgets.confidence, certifying }));
    await spool?.remove();
    if (handed.held.length > 0) process.exitCode = 1;
  } finally {
    progress.done();
    await Promise.all([close(), spool?.close(), ...rooms.map((room) => room.stop())]);
  }
}

/** Standard input cannot be read again, so nothing of it is kept. */
async function spoolOf(
  files: readonly string[],
  named: string | undefined,
  usual: string,
  identity: () => SpoolIdentity,
): Promise<Spool | undefined> {
  if (files.includes('-')) {
    if (named !== undefined) throw new Error('--state: standard input cannot be read again; give a file');
    return undefined;
  }
  const folder = named ?? usual;
  const spool = await Spool.open(folder, identity());
  if (spool.damaged > 0)
    process.stderr.write(`${folder}: the last ${spool.damaged} bytes are no whole block; they are read again\n`);
  return spool;
}

/** What a label calls benign is learned from, whatever Firebreak did with it. */
function leftOut(cut: CutSessions, benign: readonly string[] | undefined): Set<string> {
  const sessions = cut.sessions();
  for (const session of benign ?? []) sessions.delete(session);
  return sessions;
}

function benignOf(labels: ReadonlyMap<string, Label>): string[] {
  return [...labels].filter(([, { label }]) => label === 'benign').map(([session]) => session);
}

/** What is left of a phase is reckoned from where it began: reading may begin where another run was. */
function phases(progress: Progress): (phase: string, share: number, text?: () => string) => void {
  let current: string | undefined;
  return (phase, share, text = () => phase) => {
    if (phase !== current && share > 0) {
      progress.begin(share);
      current = phase;
    }
    progress.at(share, text);
  };
}

/** What the new one is held to. No moves are looked for where there is none. */
async function previousOf(named: string | undefined, out: string): Promise<Baseline | undefined> {
  const previous = await baselineAt(named ?? out);
  if (previous === undefined && named !== undefined) throw new Error(`--previous: no baseline at ${named}`);
  return previous?.baseline;
}

/** What the command line says, else the folder. */
function budgetsOf({ watch, pause, kill, confidence, onUncertified }: Options, folder: Budgets | undefined): Budgets {
  const said = Object.entries({ watch, pause, kill, confidence, onUncertified }).filter(
    ([, value]) => value !== undefined,
  );
  return { ...DEFAULT_BUDGETS, ...folder, ...Object.fromEntries(said) };
}

function refuseNothing({ intents = [], rules }: PolicyBody, folder: string): void {
  if (intents.length > 0 || rules.some((rule) => quantilesOf(rule).length > 0)) return;
  throw new Error(
    `nothing to learn in ${folder}: no document with kind: intent, no rule with baselineDefaults; see rules/README.md`,
  );
}
