import type { Plan } from '../plan/policy.ts';
import { PART_BYTES } from '../window/feature.ts';
import { ByteWriter } from './bytes.ts';
import { encodeSession } from './codec.ts';
import { STEPS_BYTES } from './evidence-step.ts';
import { FAILED_CALLS_BYTES } from './failed-calls.ts';
import { type Session, UNLOOKED_BYTES } from './session.ts';

/** No session takes more than this. */
export const SESSION_BYTES_MAX = 64 * 1024;
/** So much may be added between two looks: the bound holds after every action, and a look is rare. */
const ROOM = UNLOOKED_BYTES;
/** Below this nobody has to measure: what is neither window nor step takes 16 KiB at most. */
const ELSE_BYTES = 16 * 1024 + STEPS_BYTES;

/** What all intents of a session take at most. */
const INTENTS_BYTES = 24 * 1024;

/** The request, the grant with its targets, and the last command take at most. */
const STANDING_BYTES = 32 * 1024;

/** So often a part gets coarser in a row before it counts as one that can not. */
const CHANGES_MAX = 4;

interface Coarse {
  coarsen(): void;
  write(to: ByteWriter): void;
}

/**
 * Keeps the state of a session small. Beyond the bound the largest windows get coarser until it fits: marks are seen
 * longer than the window says. It errs towards seeing more; nothing is forgotten early.
 */
export function boundSession(session: Session, plan: Plan): void {
  if (session.grownBytes < ROOM) return;
  session.grownBytes = 0;
  // In the order of the plan: that of the session's own maps depends on where it was last read from bytes.
  const parts: Coarse[] = [];
  let most = ELSE_BYTES + (session.intents ? INTENTS_BYTES : 0) + (session.standing ? STANDING_BYTES : 0);
  for (const { id, features } of plan.groups.values()) {
    const group = session.groups.get(id);
    for (const feature of group ? features : []) {
      const state = group!.features.get(feature.id);
      // What has expired is no reason to get coarser, and must not be merged with what has not.
      state?.total(session.clockMs);
      most += (1 + (state?.size() ?? 0)) * PART_BYTES;
      const failed = group!.failedCalls.get(feature.id);
      if (state) parts.push(state);
      if (failed) parts.push(failed);
      if (failed) most += FAILED_CALLS_BYTES;
    }
  }
  if (most <= SESSION_BYTES_MAX - ROOM) return;
  const bytes = encodeSession(session).length;
  if (bytes > SESSION_BYTES_MAX - ROOM) coarsenLargest(parts, bytes - (SESSION_BYTES_MAX - 2 * ROOM));
}

function coarsenLargest(parts: readonly Coarse[], excess: number): void {
  const to = new ByteWriter(SESSION_BYTES_MAX);
  const bytesOf = (part: Coarse) => {
    const before = to.length;
    part.write(to);
    return to.length - before;
  };
  let left = parts.map((part) => ({ part, bytes: bytesOf(part) }));
  let rest = excess;
  while (rest > 0 && left.length > 0) {
    const largest = left.reduce((a, b) => (b.bytes > a.bytes ? b : a));
    const before = largest.bytes;
    // What changes its form may take more room first.
    for (let i = 0; i < CHANGES_MAX && largest.bytes >= before; i++) {
      largest.part.coarsen();
      largest.bytes = bytesOf(largest.part);
    }
    rest -= before - largest.bytes;
    if (largest.bytes >= before) left = left.filter((one) => one !== largest); // as coarse as it gets
  }
}
