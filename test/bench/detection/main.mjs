/**
 * What the intents and rules of a folder detect, on recordings with labels: learned and calibrated on the benign sessions
 * of TRAIN, judged on TEST.
 */
import { writeFileSync } from 'node:fs';
import { loadPolicyFolder } from '../../../dist/app/rule-folder.js';
import { parseShare, SHARE_ALLOWED } from '../../../dist/domain/share.js';
import { build } from '../../simulation/build.mjs';
import { courses, foldOf, judge, learnFrom } from './judge.mjs';
import { metricsOf, pairedDifference } from './metrics.mjs';
import { reportPage } from './page.mjs';
import { readSets, shuffled } from './sets.mjs';

const { readOptions, refuse } = await import(build('test/command-line.ts', 'command-line'));

const USAGE = `npm run bench:detection -- --train DIR --test DIR [--rules DIR] [--budget SHARE] [--confidence marginal|pac95] [--folds N]
                           [--fit-exclude TASK,…] [--on-uncertified pause|kill] [--shuffle SEED] [--json FILE] [--html FILE]
  --train           recordings with labels: NAME.events.ndjson.gz, each with its NAME.labels.ndjson.gz
  --test            those that are judged
  --rules           the policy; rules without it
  --budget          share of benign sessions that may be killed; 0.01 without it
  --confidence      of the thresholds, as firebreak learn has it; marginal without it
  --folds           so many parts: each session is judged by what other tasks taught, where TRAIN and TEST are the same
  --fit-exclude     tasks that teach nothing
  --on-uncertified  what a threshold that nothing certifies does; pause without it
  --shuffle         judges each session also with its steps in another order
  --json            writes what was found
  --html            writes it as a page with curves`;

const options = readOptions(USAGE, {
  train: { type: 'string' },
  test: { type: 'string' },
  rules: { type: 'string', default: 'rules' },
  budget: { type: 'string', default: '0.01' },
  confidence: { type: 'string', default: 'marginal' },
  folds: { type: 'string', default: '0' },
  'fit-exclude': { type: 'string', default: '' },
  'on-uncertified': { type: 'string', default: 'pause' },
  shuffle: { type: 'string' },
  json: { type: 'string' },
  html: { type: 'string' },
});
const folds = Number(options.folds);
const kill = parseShare(options.budget);
if (options.train === undefined || options.test === undefined) refuse('--train and --test are needed');
if (!(Number.isSafeInteger(folds) && folds >= 0)) refuse(`--folds: found "${options.folds}", allowed: a whole number`);
if (Number.isNaN(kill)) refuse(`--budget: found "${options.budget}", allowed: ${SHARE_ALLOWED}`);
const excluded = new Set(options['fit-exclude'].split(','));
const learning = {
  budgets: { watch: Math.min(0.5, 10 * kill), pause: Math.min(0.4, 5 * kill), kill },
  confidence: options.confidence,
  onUncertified: options['on-uncertified'],
};
const body = await loadPolicyFolder(options.rules);
const training = readSets(options.train).map(({ name, sessions }) => ({
  name,
  benign: sessions.filter(({ label, unit }) => label === 'benign' && !excluded.has(unit)),
}));
const learned = new Map();

/** A set without benign sessions of its own is judged by what all sets taught. */
function policyFor(name, fold) {
  const own = training.find((one) => one.name === name)?.benign ?? [];
  const benign = own.length > 0 ? own : training.flatMap((one) => one.benign);
  const key = own.length > 0 ? `${name} ${fold}` : `all ${fold}`;
  let made = learned.get(key);
  if (made === undefined) {
    made = learnFrom(body, fold < 0 ? benign : benign.filter(({ unit }) => foldOf(unit, folds) !== fold), learning);
    learned.set(key, made);
  }
  return made;
}

const judging = readSets(options.test).map(async ({ name, sessions }) => {
  const order = options.shuffle === undefined ? undefined : shuffled(sessions, Number(options.shuffle));
  const found = await judgeAll(name, sessions);
  const mixed = order && (await judgeAll(name, order));
  const kinds = ['kill', 'stop'].map((kind) => {
    const drop =
      mixed === undefined
        ? {}
        : {
            shuffled: metricsOf(order, mixed[kind]),
            fall: pairedDifference(sessions, found[kind], mixed[kind]),
          };
    return [kind, { ...metricsOf(sessions, found[kind]), ...drop }];
  });
  return {
    name,
    sessions: sessions.length,
    thresholds: found.thresholds,
    evidence: found.evidence,
    rules: Object.fromEntries(found.rules),
    ...Object.fromEntries(kinds),
  };
});
const report = await Promise.all(judging);

async function judgeAll(name, sessions) {
  const all = { kill: new Map(), stop: new Map(), rules: new Map(), thresholds: [], evidence: [] };
  for (let fold = folds > 0 ? 0 : -1; fold < Math.max(folds, 0); fold++) {
    const { policy, baseline, gauge } = await policyFor(name, fold);
    const judged = fold < 0 ? sessions : sessions.filter(({ unit }) => foldOf(unit, folds) === fold);
    const found = judge(policy, judged);
    if (options.html !== undefined) all.evidence.push({ baseline, sessions: judged, courses: courses(gauge, judged) });
    for (const kind of ['kill', 'stop']) for (const [session, at] of found[kind]) all[kind].set(session, at);
    for (const [rule, count] of found.rules) all.rules.set(rule, (all.rules.get(rule) ?? 0) + count);
    all.thresholds.push(baseline.thresholds.kill);
  }
  return all;
}

const percent = ({ count, of, rate, interval }) =>
  `${(100 * rate).toFixed(2).padStart(6)} %  ${`${count}/${of}`.padEnd(11)}${
    interval ? `(${(100 * interval[0]).toFixed(1)} to ${(100 * interval[1]).toFixed(1)})` : ''
  }`;
const NAMES = {
  falseStops: 'benign sessions stopped',
  resisted: 'resisted attacks stopped',
  detected: 'attacks detected',
  inTimeAsync: 'in time, after the event',
  inTimeInline: 'in time, inline',
  preventedAsync: 'harmful calls prevented, after the event',
  preventedInline: 'harmful calls prevented, inline',
  multiStep: 'attacks of several steps detected',
  multiStepPrevented: 'harmful calls of those prevented, inline',
  multiStepWithoutLargest: 'the same without the largest goal',
};
for (const set of report) {
  const grades = [...new Set(set.thresholds.map(({ grade, n, r }) => `${grade} (n = ${n}, r = ${r})`))];
  console.log(`\n${set.name}: ${set.sessions} sessions; threshold of kill ${grades.join('; ')}`);
  console.log(
    `commands: ${
      Object.entries(set.rules)
        .map(([rule, count]) => `${rule} ${count}`)
        .join(', ') || 'none'
    }`,
  );
  for (const [kind, title] of [
    ['kill', 'kill alone'],
    ['stop', 'pause or kill'],
  ]) {
    console.log(`  ${title}`);
    for (const [field, name] of Object.entries(NAMES)) {
      if (set[kind][field].of > 0) console.log(`    ${name.padEnd(42)}${percent(set[kind][field])}`);
    }
    if (set[kind].fall) {
      const [low, high] = set[kind].fall.map((value) => (100 * value).toFixed(1));
      console.log(
        `    detected in shuffled order                ${percent(set[kind].shuffled.detected)}, falls by ${low} to ${high} points`,
      );
    }
  }
}
if (options.html !== undefined) writeFileSync(options.html, reportPage(report));
for (const set of report) delete set.evidence; // of use to the plots alone
if (options.json !== undefined) writeFileSync(options.json, `${JSON.stringify({ options, report }, undefined, 2)}\n`);
