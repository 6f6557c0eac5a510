import type { Baseline, Confidence } from '../domain/baseline.ts';
import { CONDITIONS } from '../domain/level.ts';
import { shareText } from '../domain/share.ts';
import { minimumSample } from '../learning/conformal.ts';

interface Learned {
  events: number;
  /** Sessions left out because Firebreak or a person stopped them. */
  cut: number;
  out: string;
  confidence: Confidence;
}

/** What was learned, for the person who started it: what each budget rests on, and how many sessions are missing. */
export function learnText(baseline: Baseline, { events, cut, out, confidence }: Learned): string {
  const { parameters, maps, thresholds } = baseline.sessions;
  const lines: [name: string, text: string][] = [
    ['events', number(events)],
    [
      'sessions',
      `${number(parameters + maps + thresholds)}: ${number(parameters)} for parameters, ${number(maps)} for tails, ${number(thresholds)} for thresholds`,
    ],
  ];
  if (cut > 0) lines.push(['left out', `${number(cut)} sessions that were stopped and not released`]);
  for (const [id, { global, cohorts, known }] of Object.entries(baseline.intents)) {
    const values = known === undefined ? '' : `, ${number(known['']?.length ?? 0)} known values`;
    const rate = `${Number((global.events.mu * 100).toPrecision(3))} marks in 100 actions`;
    lines.push([id, `${rate}, ${number(Object.keys(cohorts).length)} cohorts${values}`]);
  }
  for (const [id, { cohorts }] of Object.entries(baseline.rules ?? {})) {
    const numbers = Object.entries(cohorts[''] ?? {}).map(([name, value]) => `${name} ${Number(value.toPrecision(3))}`);
    lines.push([
      id,
      `${numbers.join(', ')}; ${number(Object.keys(cohorts).length - 1)} cohorts with numbers of their own`,
    ]);
  }
  for (const condition of CONDITIONS) {
    const { alpha, c, r, n, grade } = baseline.thresholds[condition];
    const certified = r >= 1 ? `${r} of ${number(n)} benign sessions reach it` : missing(alpha, n, confidence);
    const at = c === undefined ? 'never' : `above ${Number(c.toPrecision(4))} nats`;
    lines.push([condition, `${at}, at most ${shareText(alpha)} of benign sessions: ${grade}, ${certified}`]);
  }
  const { kill } = baseline.thresholds;
  if (kill.r === 0)
    lines.push(['', `evidence beyond the threshold of kill leads to ${baseline.onUncertified} until it is certified`]);
  lines.push(['written', out]);
  const width = Math.max(...lines.map(([name]) => name.length));
  return lines.map(([name, text]) => `${name.padEnd(width)}  ${text}\n`).join('');
}

function missing(alpha: number, n: number, confidence: Confidence): string {
  const needed = minimumSample(alpha, confidence);
  return `${number(n)} of the ${number(needed)} sessions that certify it; ${number(needed - n)} are missing`;
}

function number(value: number): string {
  return value.toLocaleString('en');
}
