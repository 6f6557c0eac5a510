import type { ActionEvent } from '../../domain/event.ts';
import { formOf, readFeature } from '../plan/feature-kind.ts';
import type { FeaturePlan } from '../plan/policy.ts';
import type { Feature } from '../window/feature.ts';
import { ByteReader, ByteWriter } from './bytes.ts';
import { bytesOf as bytesOfStep, readStep, type Step, shownResource, writeStep } from './evidence-step.ts';
import { FailedCalls } from './failed-calls.ts';

/** Contributing steps kept for the explanation: the newest. What a command leaves out it counts. */
export const STEPS_MAX = 8;

/** What a session keeps for one filter: the features over it, and the last steps that passed it. */
export class Group {
  readonly features = new Map<number, Feature>();
  /** The same in the order of the plan that observed last: one look-up less for each. No part of the state. */
  #inOrder: Feature[] = [];
  #orderedBy: readonly FeaturePlan[] | undefined;
  /** Feature id → the failed calls that added to it, for features with any. */
  readonly failedCalls = new Map<number, FailedCalls>();
  /** Rewritten in place: nothing may keep one. */
  steps: Step[] = [];
  /** What the steps take; to look at each of them for every action would cost more than all else. */
  #stepsBytes = 0;
  /** Steps that passed and counted in a measure, in this life of the session. */
  passed = 0;

  note(event: ActionEvent, atMs: number, timeMs: number, weight: number): void {
    const { id: eventId, tool } = event;
    const resource = shownResource(event);
    const bytes = bytesOfStep(eventId, tool, resource);
    let step: Step;
    if (this.steps.length < STEPS_MAX) step = { eventId, atMs, timeMs, tool, resource, weight, bytes };
    else {
      // The oldest becomes the newest: a new object for every step of every session is most of the garbage there is.
      step = this.steps.shift()!;
      this.#stepsBytes -= step.bytes;
      step.eventId = eventId;
      step.atMs = atMs;
      step.timeMs = timeMs;
      step.tool = tool;
      step.resource = resource;
      step.weight = weight;
      step.bytes = bytes;
    }
    this.steps.push(step);
    this.#stepsBytes += bytes;
    this.passed++;
  }

  /** Forgets the oldest steps until all take no more than `bytes`. */
  trimSteps(bytes: number): void {
    if (this.#stepsBytes <= bytes) return;
    let taken = 0;
    const kept = this.steps.findLastIndex((step) => {
      taken += step.bytes;
      return taken > bytes;
    });
    for (const step of this.steps.splice(0, kept + 1)) this.#stepsBytes -= step.bytes;
  }

  restoreSteps(steps: Step[]): void {
    this.steps = steps;
    this.#stepsBytes = steps.reduce((sum, step) => sum + step.bytes, 0);
  }

  endLife(): void {
    this.passed = 0;
    for (const [id, feature] of this.features) {
      feature.endLife();
      if (!Number.isFinite(feature.withinMs)) this.failedCalls.delete(id);
    }
  }

  /** The features that are planned, in that order; those that are missing begin at nothing. */
  featuresOf(planned: readonly FeaturePlan[]): readonly Feature[] {
    if (this.#orderedBy !== planned) {
      this.#inOrder = planned.map(({ id, create }) => {
        const feature = this.features.get(id) ?? create();
        this.features.set(id, feature);
        return feature;
      });
      this.#orderedBy = planned;
    }
    return this.#inOrder;
  }

  /** Leaves behind what no rule measures any more. */
  keepOnly(featureIds: ReadonlySet<number>): void {
    for (const kind of [this.features, this.failedCalls]) {
      for (const id of kind.keys()) if (!featureIds.has(id)) kind.delete(id);
    }
    this.#orderedBy = undefined;
  }

  /** The same steps over nothing that was measured. */
  withoutFeatures(): Group {
    const group = new Group();
    group.passed = this.passed;
    group.restoreSteps(this.steps.map((step) => ({ ...step })));
    return group;
  }

  /** Copies what it lacks of the planned features, as it stands in the other. Answers whether there was any. */
  takeOver(from: Group, planned: readonly FeaturePlan[]): boolean {
    const missing = planned.filter(({ id }) => !this.features.has(id) && from.features.has(id));
    for (const { id } of missing) {
      this.features.set(id, copyOf(from.features.get(id)!));
      const failed = from.failedCalls.get(id);
      if (failed) this.failedCalls.set(id, FailedCalls.read(bytesOf(failed)));
    }
    if (missing.length > 0) this.#orderedBy = undefined;
    return missing.length > 0;
  }

  failedCallsOf(featureId: number): FailedCalls {
    let failed = this.failedCalls.get(featureId);
    if (!failed) {
      failed = new FailedCalls();
      this.failedCalls.set(featureId, failed);
    }
    return failed;
  }

  write(to: ByteWriter): void {
    to.count(this.passed);
    to.count(this.steps.length);
    let before = 0;
    for (const step of this.steps) {
      writeStep(to, step, before);
      before = step.atMs;
    }
  }

  static readSteps(from: ByteReader): Step[] {
    const size = from.length();
    const steps: Step[] = [];
    for (let i = 0; i < size; i++) steps.push(readStep(from, steps.at(-1)?.atMs ?? 0));
    return steps;
  }
}

function copyOf(feature: Feature): Feature {
  return readFeature(formOf(feature), bytesOf(feature), feature.withinMs);
}

function bytesOf(part: { write(to: ByteWriter): void }): ByteReader {
  const to = new ByteWriter(1024);
  part.write(to);
  return new ByteReader(to.finish(), 0);
}
