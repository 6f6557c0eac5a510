import { type ClockModel, STREAMS, type Stream, type TailMap } from '../../domain/baseline.ts';
import type { ByteReader, ByteWriter } from '../session/bytes.ts';
import { advanceShift } from './change-point.ts';
import { logLevel } from './level.ts';
import { standardise } from './standardise.ts';

/** Marks that follow each other within this are one burst. */
export const BURST_GAP_MS = 60_000;

/** What is known of one intent before a session begins: parameters, tails, and ln of the share of the budget. */
export interface FeatureModel {
  /** Names the intent's state in a session, the same in every policy in which its marks mean the same. */
  id: number;
  events: ClockModel;
  active: ClockModel;
  /** In the order of STREAMS, as all lists of streams here: a look-up by name costs as much as a logarithm. */
  maps: readonly TailMap[];
  lnShares: readonly number[];
}

/** Where the session stands on both clocks. */
export interface Exposure {
  events: number;
  activeHours: number;
}

/** One marked event and what it did to the volume stream. */
export interface Contribution {
  /** The mark after de-bursting. */
  effective: number;
  /** The stream after the mark before, and after this one: nats. */
  before: number;
  after: number;
  /** Effective count before this mark, effective expected count at it, shape: what the parts are computed from. */
  n: number;
  e: number;
  a: number;
}

/**
 * The two parts of `after - before`, in nats: faded by what the session did since the mark before, at most 0, and what
 * the event itself added, at least 0. Over all steps they add up to the stream. Computed when somebody asks, because
 * it is a third of the cost of a mark.
 */
export function partsOf({ before, after, n, e, a }: Contribution): { exposure: number; mark: number } {
  const faded = logLevel(n, e, a);
  return { exposure: faded - before, mark: after - faded };
}

/**
 * The evidence of one feature in one session: 14 numbers, whatever the session's length.
 *
 * De-bursting: inside a burst the k-th mark counts 1/k, so a clean-up of 40 files is about 4.3 marks and not 40. Without
 * it honest bursts look like attacks to every sequential likelihood; their size is a stream of its own.
 */
export class FeatureEvidence {
  /** Effective marks. */
  count = 0;
  burstIndex = 0;
  burstMass = 0;
  lastMarkMs = 0;
  markedEvents = 0;
  eventsAtLastMark = 0;
  /** Linear sums of the change-point stream, see `advanceShift`. */
  ratios = [0, 0, 0, 0];
  /** The four streams as the last mark left them, in the order of STREAMS. */
  streams = [0, 0, 0, 0];

  /** `mark` is in (0, 1]; `atMs` the event's time, which may be earlier than the last one's. */
  mark(model: FeatureModel, atMs: number, mark: number, at: Exposure): Contribution {
    if (this.markedEvents === 0 || Math.abs(atMs - this.lastMarkMs) > BURST_GAP_MS) {
      this.burstIndex = 0;
      this.burstMass = 0;
      this.lastMarkMs = atMs;
    }
    this.burstIndex++;
    this.burstMass += mark;
    this.lastMarkMs = Math.max(this.lastMarkMs, atMs);
    this.markedEvents++;
    const effective = mark / this.burstIndex;

    const { mu, phi, a } = model.events;
    const n = this.count / phi;
    const then = (mu * this.eventsAtLastMark) / phi;
    const now = (mu * at.events) / phi;
    const step = { j: this.markedEvents, x: effective / phi, de: now - then, n, e: then, a };
    this.streams[3] = advanceShift(this.ratios, step);
    this.count += effective;
    this.eventsAtLastMark = at.events;

    const before = this.streams[0]!;
    const after = logLevel(this.count / phi, now, a);
    this.streams[0] = after;
    this.streams[1] = this.#rate(model, at);
    this.streams[2] = Math.max(0, this.burstMass - 1);
    return { effective, before, after, n, e: now, a };
  }

  /** The streams at `at`: volume and rate fade while nothing is marked, burst and shift stay. */
  refreshed(model: FeatureModel, at: Exposure): number[] {
    const { mu, phi, a } = model.events;
    const volume = logLevel(this.count / phi, (mu * at.events) / phi, a);
    return [volume, this.#rate(model, at), this.streams[2]!, this.streams[3]!];
  }

  #rate({ active: { mu, phi, a } }: FeatureModel, { activeHours }: Exposure): number {
    return logLevel(this.count / phi, (mu * activeHours) / phi, a);
  }

  write(to: ByteWriter): void {
    to.number(this.count);
    to.count(this.burstIndex);
    to.number(this.burstMass);
    to.number(this.lastMarkMs);
    to.count(this.markedEvents);
    to.count(this.eventsAtLastMark);
    for (const ratio of this.ratios) to.number(ratio);
    for (const value of this.streams) to.number(value);
  }

  static read(from: ByteReader): FeatureEvidence {
    const feature = new FeatureEvidence();
    feature.count = from.number();
    feature.burstIndex = from.count();
    feature.burstMass = from.number();
    feature.lastMarkMs = from.number();
    feature.markedEvents = from.count();
    feature.eventsAtLastMark = from.count();
    feature.ratios = feature.ratios.map(() => from.number());
    feature.streams = feature.streams.map(() => from.number());
    return feature;
  }
}

/** The stream that says most, in nats after its share of the budget. */
export interface Leading {
  stream: Stream;
  evidence: number;
}

/** Undefined where no stream says anything above 0. Ties go to the earlier stream. */
export function leadingOf({ maps, lnShares }: FeatureModel, streams: readonly number[]): Leading | undefined {
  let at = -1;
  let evidence = 0;
  for (let i = 0; i < streams.length; i++) {
    const value = standardise(maps[i]!, streams[i]!) + lnShares[i]!;
    if (value > evidence) {
      evidence = value;
      at = i;
    }
  }
  return at < 0 ? undefined : { stream: STREAMS[at]!, evidence };
}
