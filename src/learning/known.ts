/** By cohort and value: the unit that was seen with it; null where several were. */
export type KnownUnits = Map<string, Map<string, string | null>>;

/**
 * Which values benign work was seen with, per cohort and over all. A unit is what is drawn as a whole: a session, or
 * a task that many sessions repeat. How often a benign session meets a new value is measured with its own unit left
 * out; with it, nothing that was learned from would ever be new.
 */
export class KnownValues {
  readonly units: KnownUnits;

  constructor(units: KnownUnits = new Map()) {
    this.units = units;
  }

  /** `unit` as in KnownUnits. */
  add(cohort: string, value: string, unit: string | null): void {
    let values = this.units.get(cohort);
    if (!values) {
      values = new Map();
      this.units.set(cohort, values);
    }
    const before = values.get(value);
    if (before === undefined) values.set(value, unit);
    else if (before !== unit) values.set(value, null);
  }

  /** The same as if all that the other one was told had been told to this one. */
  merge(units: KnownUnits): void {
    for (const [cohort, values] of units) for (const [value, unit] of values) this.add(cohort, value, unit);
  }

  /** Whether another unit than `unit` had it: in the cohort, or in `wider` where nothing is known of the cohort. */
  hasBeside(cohort: string, wider: string, value: string, unit: string): boolean {
    const found = (this.units.get(cohort) ?? this.units.get(wider))?.get(value);
    return found !== undefined && found !== unit;
  }

  /** Sorted, so that equal knowledge has equal bytes. */
  sets(): Record<string, string[]> {
    const cohorts = [...this.units].sort(([a], [b]) => (a < b ? -1 : 1));
    return Object.fromEntries(cohorts.map(([cohort, values]) => [cohort, [...values.keys()].sort()]));
  }
}
