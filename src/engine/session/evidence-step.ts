import type { EvidenceStep } from '../../domain/command.ts';
import type { ActionEvent } from '../../domain/event.ts';
import { formatInstant } from '../../domain/instant.ts';
import type { ByteReader, ByteWriter } from './bytes.ts';

const RESOURCE_MAX = 128;
/** Bytes of a step without its texts, and of a UTF-16 unit in UTF-8, at most. */
const STEP_BYTES = 40;
const UTF8_MAX = 3;

/** One action, as an explanation names it. */
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

/** A step of its own, of weight 1. */
export function stepOf(event: ActionEvent, atMs: number, timeMs: number): Step {
  const { id: eventId, tool } = event;
  const resource = shownResource(event);
  return { eventId, atMs, timeMs, tool, resource, weight: 1, most: mostOf(eventId, tool, resource) };
}

export function shownResource({ resource }: ActionEvent): string | undefined {
  return resource?.id?.slice(0, RESOURCE_MAX);
}

export function mostOf(eventId: string, tool: string, resource: string | undefined): number {
  return STEP_BYTES + UTF8_MAX * (eventId.length + tool.length + (resource?.length ?? 0));
}

export function bytesOfStep({ eventId, tool, resource }: Step): number {
  return STEP_BYTES + Buffer.byteLength(eventId) + Buffer.byteLength(tool) + Buffer.byteLength(resource ?? '');
}

/** `beforeMs`: `atMs` of the step that is written before it. */
export function writeStep(to: ByteWriter, step: Step, beforeMs: number): void {
  to.text(step.eventId);
  to.count(step.atMs - beforeMs);
  to.number(step.timeMs);
  to.text(step.tool);
  to.optionalText(step.resource);
  to.number(step.weight);
}

export function readStep(from: ByteReader, beforeMs: number): Step {
  const eventId = from.text();
  const atMs = beforeMs + from.count();
  const timeMs = from.number();
  const tool = from.text();
  const resource = from.optionalText();
  return { eventId, atMs, timeMs, tool, resource, weight: from.number(), most: mostOf(eventId, tool, resource) };
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
