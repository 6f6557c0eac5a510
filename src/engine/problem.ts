/**
 * One mistake in a rule, as a value: checking goes on to find the others. `path` leads from the rule to the place.
 */
export interface RuleProblem {
  path: (string | number)[];
  message: string;
  /** The key at the end of the path is wrong, not its value. */
  place?: 'key';
  /** Offset inside the text at that path, in UTF-16 units, where it is known. */
  at?: number;
}
