/** The rules in force and those that are to replace them. Without a comparison there are only new ones. */
export const SIDES = ['old', 'new'] as const;
export type Side = (typeof SIDES)[number];

/** One value for each side that takes part, the same sides everywhere in one backtest. */
export type BySide<T> = { new: T; old?: T };

/** The sides that take part, old first. */
export function sidesOf(of: BySide<unknown>): Side[] {
  return of.old === undefined ? ['new'] : ['old', 'new'];
}

export function mapSides<T, U>(of: BySide<T>, make: (value: T, side: Side) => U): BySide<U> {
  if (of.old === undefined) return { new: make(of.new, 'new') };
  return { old: make(of.old, 'old'), new: make(of.new, 'new') };
}
