import type { EvidenceStep } from '../../domain/command.ts';
import type { ActionEvent } from '../../domain/event.ts';
import { formatInstant } from '../../domain/instant.ts';
import { formOf, readFeature } from '../plan/feature-kind.ts';
import type { FeaturePlan } from '../plan/policy.ts';
import type { Feature } from '../window/feature.ts';
import { ByteReader, ByteWriter } from './bytes.ts';
import { FailedCalls } from './failed-calls.ts';

/** Contributing steps kept for the explanation: the newest. What a command leaves out it counts. */
export const STEPS_MAX = 8;
const RESOURCE_MAX = 128;
/** What the steps of all groups of a session may take. A group gets its even share. */
export const STEPS_BYTES = 24 * 1024;
/** Bytes of a step without its texts, and of a UTF-16 unit in UTF-8, at most. */
const STEP_BYTES = 40;
const UTF8_MAX = 3;

export interface Step {
  eventId: string;
  /** Session clock when it arrived, ms. */
  atMs: number;
  /** The event's own time, ms. */
  timeMs: number;
  tool: string;
  resource: string | undefined;
  weight: number;
  /** Bytes that it takes at most. Kept, because to read its texts again when it goes costs a look into cold memory. */
  most: number;
}

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
  /** What the steps take at most; to look at each of them for every action would cost more than all else. */
  #stepsMost = 0;
  /** Steps that passed and counted in a measure, in this life of the session. */
  passed = 0;

  note(event: ActionEvent, atMs: number, timeMs: number, weight: number): void {
    const { id: eventId, tool } = event;
    const resource = event.resource?.id?.slice(0, RESOURCE_MAX);
    const most = mostOf(eventId, tool, resource);
    let step: Step;
    if (this.steps.length < STEPS_MAX) step = { eventId, atMs, timeMs, tool, resource, weight, most };
    else {
      // The oldest becomes the newest: a new object for every step of every session is most of the garbage there is.
      step = this.steps.shift()!;
      this.#stepsMost -= step.most;
      step.eventId = eventId;
      step.atMs = atMs;
      step.timeMs = timeMs;
      step.tool = tool;
      step.resource = resource;
      step.weight = weight;
      step.most = most;
    }
    this.steps.push(step);
    this.#stepsMost += most;
    this.passed++;
  }

  /** Forgets the oldest steps until all take no more than `bytes`. */
  trimSteps(bytes: number): void {
    if (this.#stepsMost <= bytes) return;
    let taken = 0;
    const kept = this.steps.findLastIndex((step) => {
      taken += STEP_BYTES + utf8Of(step);
      return taken > bytes;
    });
    for (const step of this.steps.splice(0, kept + 1)) this.#stepsMost -= step.most;
  }

  restoreSteps(steps: Step[]): void {
    this.steps = steps;
    this.#stepsMost = steps.reduce((sum, step) => sum + step.most, 0);
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
    for (const { eventId, atMs, timeMs, tool, resource, weight } of this.steps) {
      to.text(eventId);
      to.count(atMs - before);
      to.number(timeMs);
      to.text(tool);
      to.optionalText(resource);
      to.number(weight);
      before = atMs;
    }
  }

  static readSteps(from: ByteReader): Step[] {
    const size = from.length();
    const steps: Step[] = [];
    let atMs = 0;
    for (let i = 0; i < size; i++) {
      const eventId = from.text();
      atMs += from.count();
      const timeMs = from.number();
      const tool = from.text();
      const resource = from.optionalText();
      steps.push({
        eventId,
        atMs,
        timeMs,
        tool,
        resource,
        weight: from.number(),
        most: mostOf(eventId, tool, resource),
      });
    }
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

function mostOf(eventId: string, tool: string, resource: string | undefined): number {
  return STEP_BYTES + UTF8_MAX * (eventId.length + tool.length + (resource?.length ?? 0));
}

function utf8Of({ eventId, tool, resource }: Step): number {
  return Buffer.byteLength(eventId) + Buffer.byteLength(tool) + Buffer.byteLength(resource ?? '');
}

export function evidenceOf(step: Step): EvidenceStep {
  return {
    eventId: step.eventId,
    time: formatInstant(step.timeMs),
    tool: step.tool,
    ...(step.resource === undefined ? {} : { resource: step.resource }),
    contribution: step.weight,
  };
}
