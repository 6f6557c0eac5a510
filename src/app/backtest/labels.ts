import { z } from 'zod';
import { NdjsonReader } from '../../adapters/files/ndjson-reader.ts';
import { explainLine } from '../../domain/explain.ts';
import { levelRank } from '../../domain/level.ts';
import { eachLine } from '../recording.ts';
import type { JudgedSession, Outcome } from './outcome.ts';
import { type BySide, mapSides, sidesOf } from './sides.ts';

/** What a person knows of a session. Other fields of a line are left alone. */
const LabelLine = z.looseObject({
  session: z.string().min(1),
  label: z.string().min(1).max(64).describe('benign, attack, or any other word.'),
  harmSeqs: z
    .array(z.int().nonnegative())
    .optional()
    .describe('Which events of the session did the harm, counted from 0 in the order of the stream.'),
});
export type Label = Pick<z.infer<typeof LabelLine>, 'label' | 'harmSeqs'>;

const MISTAKES_TOLD = 10;

/** Labels by session. Throws with every mistake: a wrong label makes a wrong number that looks right. */
export async function readLabels(path: string): Promise<Map<string, Label>> {
  const labels = new Map<string, Label>();
  const mistakes: string[] = [];
  for await (const line of eachLine(await NdjsonReader.open(path))) {
    const json = 'bytes' in line ? parse(line.bytes) : undefined;
    const parsed = LabelLine.safeParse(json);
    if (json === undefined) mistakes.push(`${path}:${line.number}: the line is not JSON`);
    else if (!parsed.success) mistakes.push(`${path}:${line.number}: ${explainLine(parsed.error, json)}`);
    else {
      const { session, label, harmSeqs } = parsed.data;
      const known = labels.get(session);
      if (known === undefined) labels.set(session, harmSeqs === undefined ? { label } : { label, harmSeqs });
      else if (known.label !== label) {
        mistakes.push(`${path}:${line.number}: the session is labelled ${known.label} already, here ${label}`);
      }
    }
  }
  if (mistakes.length > 0) {
    const more = mistakes.length > MISTAKES_TOLD ? `\n  and ${mistakes.length - MISTAKES_TOLD} more` : '';
    const told = mistakes.slice(0, MISTAKES_TOLD).map((mistake) => `  ${mistake}`);
    throw new Error(`the labels have mistakes:\n${told.join('\n')}${more}`);
  }
  return labels;
}

/** So many of so many, with the 95 % interval that a sample of this size allows. */
export interface Share {
  count: number;
  of: number;
  low: number;
  high: number;
}

/** The sessions of one label on one side. */
export interface LabelledSide {
  /** Paused or killed. */
  stopped: Share;
  killed: Share;
  /** Of the sessions with marked harm, those stopped at an event before the last harmful one. */
  inTime: Share | undefined;
}

export interface LabelRow {
  label: string;
  sessions: number;
  sides: BySide<LabelledSide>;
}

interface Counts {
  sessions: number;
  harmed: number;
  sides: BySide<{ stopped: number; killed: number; inTime: number }>;
}

/** Sets what the rules did against what is known of the sessions. */
export class LabelTable {
  readonly #labels: ReadonlyMap<string, Label>;
  readonly #counts = new Map<string, Counts>();
  unlabelled = 0;
  #seen = 0;

  constructor(labels: ReadonlyMap<string, Label>) {
    this.#labels = labels;
  }

  labelOf(session: string): string | undefined {
    return this.#labels.get(session)?.label;
  }

  /** Labels of sessions that the events do not have. */
  get unused(): number {
    return this.#labels.size - this.#seen;
  }

  note({ session, outcome }: JudgedSession): void {
    const label = this.#labels.get(session);
    if (label === undefined) {
      this.unlabelled++;
      return;
    }
    this.#seen++;
    let counts = this.#counts.get(label.label);
    if (counts === undefined) {
      const sides = mapSides(outcome, () => ({ stopped: 0, killed: 0, inTime: 0 }));
      counts = { sessions: 0, harmed: 0, sides };
      this.#counts.set(label.label, counts);
    }
    counts.sessions++;
    const lastHarm = label.harmSeqs === undefined ? -1 : Math.max(-1, ...label.harmSeqs);
    if (lastHarm >= 0) counts.harmed++;
    for (const side of sidesOf(outcome)) {
      const reached = outcome[side]!;
      const of = counts.sides[side]!;
      if (levelRank(reached.level) >= levelRank('paused')) of.stopped++;
      if (reached.level === 'killed') of.killed++;
      if (stoppedAt(reached) < lastHarm) of.inTime++;
    }
  }

  rows(): LabelRow[] {
    const rows = [...this.#counts].map(([label, { sessions, harmed, sides }]) => ({
      label,
      sessions,
      sides: mapSides(sides, ({ stopped, killed, inTime }) => ({
        stopped: wilson(stopped, sessions),
        killed: wilson(killed, sessions),
        inTime: harmed === 0 ? undefined : wilson(inTime, harmed),
      })),
    }));
    return rows.sort((a, b) => (a.label < b.label ? -1 : 1));
  }
}

/** Place of the event, from 0, at which the session was paused or killed first. */
function stoppedAt({ causes: { paused, killed } }: Outcome): number {
  return Math.min(paused?.event ?? Number.POSITIVE_INFINITY, killed?.event ?? Number.POSITIVE_INFINITY) - 1;
}

/** Wilson's score interval at 95 %: honest near 0 and 1 and for few sessions, where the usual one is not. */
export function wilson(count: number, of: number): Share {
  const z = 1.959963984540054;
  if (of === 0) return { count, of, low: 0, high: 1 };
  const share = count / of;
  const weight = 1 + (z * z) / of;
  const centre = share + (z * z) / (2 * of);
  const half = z * Math.sqrt((share * (1 - share)) / of + (z * z) / (4 * of * of));
  return { count, of, low: Math.max(0, (centre - half) / weight), high: Math.min(1, (centre + half) / weight) };
}

function parse(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString('utf8'));
  } catch {
    return undefined; // and therefore a mistake of its line; JSON itself has no undefined
  }
}
