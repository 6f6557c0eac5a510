import type { EvidenceStep } from '../../domain/command.ts';
import type { ActionEvent } from '../../domain/event.ts';
import { formatInstant } from '../../domain/instant.ts';
import type { ByteReader, ByteWriter } from './bytes.ts';

/** What the steps of all groups of a session may take. A group gets its even share. */
export const STEPS_BYTES = 24 * 1024;

const RESOURCE_MAX = 128;
/** Bytes of a step without its texts, at most. */
const STEP_BYTES = 40;
const ASCII_END = 0x80;

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
  /** What it takes. Kept, because to read its texts again when it goes costs a look into cold memory. */
  bytes: number;
}

/** A step of its own, of weight 1. */
export function stepOf(event: ActionEvent, atMs: number, timeMs: number): Step {
  const { id: eventId, tool } = event;
  const resource = shownResource(event);
  return { eventId, atMs, timeMs, tool, resource, weight: 1, bytes: bytesOf(eventId, tool, resource) };
}

export function shownResource({ resource }: ActionEvent): string | undefined {
  return resource?.id?.slice(0, RESOURCE_MAX);
}

export function bytesOf(eventId: string, tool: string, resource: string | undefined): number {
  return STEP_BYTES + utf8Length(eventId) + utf8Length(tool) + (resource === undefined ? 0 : utf8Length(resource));
}

/** Names are ASCII nearly always, and short: a look at each unit costs less than a call out of the engine. */
function utf8Length(text: string): number {
  for (let at = 0; at < text.length; at++) if (text.charCodeAt(at) >= ASCII_END) return Buffer.byteLength(text);
  return text.length;
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
  return { eventId, atMs, timeMs, tool, resource, weight: from.number(), bytes: bytesOf(eventId, tool, resource) };
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
