import type { Move } from '../app/learn/moves.ts';
import type { Baseline, Confidence } from '../domain/baseline.ts';
import { CONDITIONS } from '../domain/level.ts';
import { shareText } from '../domain/share.ts';
import { type Concentration, PARTIES_MIN, type Party, SHARE_MAX } from '../learning/concentration.ts';
import { minimumSample } from '../learning/conformal.ts';
import { movesText } from './moves-text.ts';

interface Learned {
  events: number;
  /** How many of them an interrupted run had read. */
  resumed: number;
  /** Sessions left out because Firebreak or a person stopped them. */
  cut: number;
  /** Where it was written. */
  file: string;
  /** The key that vouches for it. */
  signedBy: string | undefined;
  /** Why it was not taken over. */
  held: readonly Move[];
  confidence: Confidence;
  certifying: Record<Party, Concentration>;
}

/** What was learned, for the person who started it: what each budget rests on, and how many sessions are missing. */
export function learnText(baseline: Baseline, learned: Learned): string {
  const { events, resumed, cut, file, signedBy, held, confidence, certifying } = learned;
  const { parameters, maps, thresholds } = baseline.sessions;
  const of = baseline.of ?? 'sessions';
  const lines: [name: string, text: string][] = [
    ['events', `${number(events)}${resumed > 0 ? `, ${number(resumed)} of them read by an interrupted run` : ''}`],
    [
      of,
      `${number(parameters + maps + thresholds)}: ${number(parameters)} for parameters, ${number(maps)} for tails, ${number(thresholds)} for thresholds`,
    ],
  ];
  if (cut > 0) lines.push(['left out', `${number(cut)} sessions that were stopped and not released`]);
  lines.push(...usualLines(baseline));
  const isLearned = Object.keys(baseline.intents).length > 0; // numbers of rules certify nothing
  for (const condition of isLearned ? CONDITIONS : []) {
    const { alpha, c, r, n, grade } = baseline.thresholds[condition];
    const certified = r >= 1 ? `${r} of ${number(n)} benign ${of} reach it` : missing(alpha, n, confidence);
    const at = c === undefined ? 'never' : `above ${Number(c.toPrecision(4))} nats`;
    lines.push([condition, `${at}, at most ${shareText(alpha)} of benign ${of}: ${grade}, ${certified}`]);
  }
  const { kill } = baseline.thresholds;
  if (isLearned && kill.r === 0)
    lines.push(['', `evidence beyond the threshold of kill leads to ${baseline.onUncertified} until it is certified`]);
  lines.push(...partyLines(certifying));
  if (held.length === 0) lines.push(['written', signedBy === undefined ? file : `${file}, signed by ${signedBy}`]);
  else {
    lines.push(['not taken over', 'it raises more than one version may; a poisoned log would look like that, too:']);
    lines.push(...movesText(held).map((line): [string, string] => ['', line]));
    lines.push(['written', `${file}, unsigned; --accept-moves takes it over`]);
  }
  const width = Math.max(...lines.map(([name]) => name.length));
  return lines.map(([name, text]) => `${name.padEnd(width)}  ${text}\n`).join('');
}

/** What is usual: by intent, then by rule. */
export function usualLines({ intents, rules = {} }: Baseline): [name: string, text: string][] {
  return [
    ...Object.entries(intents).map(([id, { global, cohorts, known }]): [string, string] => {
      const values = known === undefined ? '' : `, ${number(known['']?.length ?? 0)} known values`;
      const rate = `${Number((global.events.mu * 100).toPrecision(3))} marks in 100 actions`;
      return [id, `${rate}, ${number(Object.keys(cohorts).length)} cohorts${values}`];
    }),
    ...Object.entries(rules).map(([id, { cohorts }]): [string, string] => {
      const usual = Object.entries(cohorts[''] ?? {}).map(([name, value]) => `${name} ${Number(value.toPrecision(3))}`);
      return [id, `${usual.join(', ')}; ${number(Object.keys(cohorts).length - 1)} cohorts with numbers of their own`];
    }),
  ];
}

/** Whose sessions certify. Silent where it is nobody in particular. */
function partyLines(certifying: Record<Party, Concentration>): [name: string, text: string][] {
  return Object.entries(certifying).flatMap(([party, { parties, largest, leftOut }]): [string, string][] => {
    const most = shareText(SHARE_MAX);
    if (leftOut > 0) {
      const why = `one ${party} has at most ${most} of them and half of those that reach furthest`;
      return [['left out', `${number(leftOut)} sessions that would certify: ${why}`]];
    }
    if (largest === undefined || parties >= PARTIES_MIN || largest.share <= SHARE_MAX) return [];
    const share = `${Number((largest.share * 100).toPrecision(2))} %`;
    const text = `${largest.name} has ${share} of the sessions that certify: it alone can move the thresholds.`;
    return [['warning', `${party} ${text} With ${PARTIES_MIN} ${party}s each would be held to ${most}`]];
  });
}

function missing(alpha: number, n: number, confidence: Confidence): string {
  const needed = minimumSample(alpha, confidence);
  return `${number(n)} of the ${number(needed)} sessions that certify it; ${number(needed - n)} are missing`;
}

function number(value: number): string {
  return value.toLocaleString('en');
}
