import type { EvidenceStep } from '../../domain/command.ts';
import type { ActionEvent } from '../../domain/event.ts';
import { formatInstant } from '../../domain/instant.ts';
import type { Feature } from '../window/feature.ts';
import type { ByteReader, ByteWriter } from './bytes.ts';

/** Contributing steps kept for the explanation: the newest. What a command leaves out it counts. */
export const STEPS_MAX = 8;
const RESOURCE_MAX = 128;

export interface Step {
  eventId: string;
  /** Session clock when it arrived, ms. */
  atMs: number;
  /** The event's own time, ms. */
  timeMs: number;
  tool: string;
  resource: string | undefined;
  weight: number;
}

/** What a session keeps for one filter: the features over it, and the last steps that passed it. */
export class Group {
  readonly features = new Map<number, Feature>();
  steps: Step[] = [];
  /** Steps that passed in this life of the session. */
  passed = 0;

  note(event: ActionEvent, atMs: number, timeMs: number, weight: number): void {
    const resource = event.resource?.id?.slice(0, RESOURCE_MAX);
    this.steps.push({ eventId: event.id, atMs, timeMs, tool: event.tool, resource, weight });
    if (this.steps.length > STEPS_MAX) this.steps.shift();
    this.passed++;
  }

  endLife(): void {
    this.passed = 0;
    for (const feature of this.features.values()) feature.endLife();
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
    const size = from.count();
    const steps: Step[] = [];
    let atMs = 0;
    for (let i = 0; i < size; i++) {
      const eventId = from.text();
      atMs += from.count();
      const timeMs = from.number();
      steps.push({ eventId, atMs, timeMs, tool: from.text(), resource: from.optionalText(), weight: from.number() });
    }
    return steps;
  }
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
