import type { ActionEvent } from '../../domain/event.ts';
import { FIELD_NAMES, type FieldType, type FieldValue, fieldOf } from '../../domain/fields.ts';
import { compileExpression, type ValueType } from '../expression/compile.ts';
import { ExpressionFault } from '../expression/fault.ts';
import type { Value } from '../expression/term.ts';
import type { RuleProblem } from '../problem.ts';

/** How heavy one action of a rule is: what `points` add up. */
export interface Weight {
  /** What it means, for the name of the state that rests on it. */
  text: string;
  of(event: ActionEvent): number;
}

const TYPES: Partial<Record<FieldType | 'any', ValueType>> = { text: 'string', number: 'number', boolean: 'boolean' };
/** What a field is that the action does not have. */
const ABSENT: Record<ValueType, Value> = { string: '', number: 0, boolean: false };
/** Of an expression that has no value for an action, such as a division by zero: it counts like one action. */
const WITHOUT_VALUE = 1;

const NAMES = FIELD_NAMES.filter((name) => TYPES[fieldOf(name)!.type] !== undefined);
const SLOTS = new Map(NAMES.map((name, slot) => [name, { slot, type: TYPES[fieldOf(name)!.type]! }]));

/**
 * Compiles an expression over the fields of one action. After a report to `problems` it answers one that means nothing:
 * the points that add it up are no mistake of their own.
 */
export function compileWeight(source: string, problems: RuleProblem[]): Weight {
  const compiled = compileExpression(source, { lookup: (path) => SLOTS.get(path), all: () => NAMES });
  const path = ['weight'];
  const text = source.trim();
  if (!compiled.ok) {
    for (const { message, at } of compiled.problems) problems.push({ path, at, message });
    return { text, of: () => WITHOUT_VALUE };
  }
  if (compiled.type !== 'number') {
    const message = `the weight is a ${compiled.type}; it must be a number, such as affected * 2`;
    problems.push({ path, at: 0, message });
    return { text, of: () => WITHOUT_VALUE };
  }
  const reads = compiled.names.map((name) => ({ ...SLOTS.get(name)!, read: fieldOf(name)!.read }));
  const values: Value[] = NAMES.map((name) => ABSENT[SLOTS.get(name)!.type]);
  return {
    text,
    of: (event) => {
      for (const { slot, type, read } of reads) values[slot] = valueOr(read(event), ABSENT[type]);
      try {
        return compiled.evaluate(values) as number;
      } catch (error) {
        if (error instanceof ExpressionFault) return WITHOUT_VALUE; // and therefore the step is neither lost nor a kill
        throw error;
      }
    },
  };
}

function valueOr(value: FieldValue, absent: Value): Value {
  return typeof value === typeof absent ? (value as Value) : absent;
}
