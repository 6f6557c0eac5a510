import type { Session } from './session.ts';

/** Parts of windows that one session may hold: at about 7 bytes a part it stays below 64 KiB with all else. */
const PARTS_MAX = 6000;
/** The bound is looked at once in so many actions: between two looks a window grows by as many parts at most. */
const LOOK_EVERY = 64;

/**
 * Keeps the state of a session small. Beyond the bound its largest features get coarser until it fits: marks are then
 * seen longer than the window says. It errs towards seeing more; nothing is forgotten early.
 */
export function boundSession(session: Session): void {
  if (session.actions % LOOK_EVERY !== 0) return;
  const features = [...session.groups.values()].flatMap((group) => [...group.features.values()]);
  let parts = features.reduce((sum, feature) => sum + feature.size(), 0);
  while (parts > PARTS_MAX) {
    const largest = features.reduce((a, b) => (b.size() > a.size() ? b : a));
    const before = largest.size();
    largest.coarsen();
    if (largest.size() >= before) return;
    parts += largest.size() - before;
  }
}
