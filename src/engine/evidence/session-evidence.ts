import type { ByteReader, ByteWriter } from '../session/bytes.ts';
import { type Contribution, FeatureEvidence, type FeatureModel, type Leading, leadingOf } from './feature-evidence.ts';

/** Silence longer than this is idle: it adds no more exposure, so waiting earns no credit. */
export const IDLE_CAP_MS = 900_000;
const HOUR_MS = 3_600_000;

/** One event's mark for one intent, by its place in the model. */
export interface Touch {
  feature: number;
  /** In (0, 1]. */
  mark: number;
}

export interface Cause extends Leading {
  feature: number;
}

/**
 * The cumulative intent of one session: what all its marked events together say against "this is how its cohort
 * works". One number in nats, the maximum over features and streams, and the feature and stream that it came from:
 * a maximum, because a busy session raises all of them at once and a sum would count that many times.
 */
export class SessionEvidence {
  events = 0;
  activeHours = 0;
  lastMs = 0;
  /** The largest evidence so far: what a calibrated threshold is about. It never falls. */
  highest = 0;
  readonly features = new Map<number, FeatureEvidence>();
  /** What each feature leads with, from its streams and the model: no part of the state. */
  #leading: (Leading | undefined)[] | undefined;

  /**
   * Takes one event, with its marks in the order of the features. A mark of a feature that the model does not have is
   * the caller's mistake. Answers what each mark added, in the order of `touches`.
   */
  observe(model: readonly FeatureModel[], atMs: number, touches: readonly Touch[]): Contribution[] {
    if (this.events === 0) this.lastMs = atMs;
    this.events++;
    this.activeHours += Math.min(Math.max(atMs - this.lastMs, 0), IDLE_CAP_MS) / HOUR_MS;
    this.lastMs = Math.max(this.lastMs, atMs);
    if (touches.length === 0) return NOTHING;
    const leading = this.#leadingOf(model);
    const contributions = touches.map(({ feature, mark }) => {
      const of = model[feature]!;
      const state = this.feature(of.id);
      const contribution = state.mark(of, atMs, mark, this);
      leading[feature] = leadingOf(of, state.streams);
      return contribution;
    });
    for (const one of leading) if (one !== undefined && one.evidence > this.highest) this.highest = one.evidence;
    return contributions;
  }

  /**
   * What says most now, of the intents that `counts` lets; undefined while nothing is above 0. Ties go to the first.
   */
  cause(model: readonly FeatureModel[], counts: (feature: number) => boolean = ALL): Cause | undefined {
    return largest(this.#leadingOf(model), counts);
  }

  /**
   * The same with volume and rate faded to this moment, for display and for leaving `watch`. A view: a feature's evidence
   * only falls while it is not marked, so no maximum is missed without it.
   */
  refreshedCause(model: readonly FeatureModel[]): Cause | undefined {
    return largest(
      model.map((of) => {
        const state = this.features.get(of.id);
        return state && leadingOf(of, state.refreshed(of, this));
      }),
      ALL,
    );
  }

  /** A new model holds from the next event on: counts and exposure stay, what they lead to is looked up anew. */
  convert(): void {
    this.#leading = undefined;
  }

  write(to: ByteWriter): void {
    to.count(this.events);
    to.number(this.activeHours);
    to.number(this.lastMs);
    to.number(this.highest);
    const ids = [...this.features.keys()].sort((a, b) => a - b);
    to.count(ids.length);
    for (const id of ids) {
      to.count(id);
      this.features.get(id)!.write(to);
    }
  }

  static read(from: ByteReader): SessionEvidence {
    const evidence = new SessionEvidence();
    evidence.events = from.count();
    evidence.activeHours = from.number();
    evidence.lastMs = from.number();
    evidence.highest = from.number();
    const size = from.length();
    for (let i = 0; i < size; i++) evidence.features.set(from.count(), FeatureEvidence.read(from));
    return evidence;
  }

  feature(id: number): FeatureEvidence {
    let feature = this.features.get(id);
    if (!feature) {
      feature = new FeatureEvidence();
      this.features.set(id, feature);
    }
    return feature;
  }

  #leadingOf(model: readonly FeatureModel[]): (Leading | undefined)[] {
    this.#leading ??= model.map((of) => {
      const state = this.features.get(of.id);
      return state && leadingOf(of, state.streams);
    });
    return this.#leading;
  }
}

const NOTHING: Contribution[] = [];
const ALL = () => true;

function largest(leading: readonly (Leading | undefined)[], counts: (feature: number) => boolean): Cause | undefined {
  let at = -1;
  let most = 0;
  for (let feature = 0; feature < leading.length; feature++) {
    const evidence = leading[feature]?.evidence ?? 0;
    if (evidence <= most || !counts(feature)) continue;
    most = evidence;
    at = feature;
  }
  return at < 0 ? undefined : { feature: at, stream: leading[at]!.stream, evidence: most };
}
