export type ArithmeticOperator = '+' | '-' | '*' | '/' | '^';
export type ComparisonOperator = '<' | '<=' | '>' | '>=';
export type EqualityOperator = '==' | '!=';
export type LogicOperator = 'and' | 'or';
export type BinaryOperator = ArithmeticOperator | ComparisonOperator | EqualityOperator | LogicOperator;
export type OperatorKind = 'arithmetic' | 'comparison' | 'equality' | 'logic';

export const operatorKinds: Record<BinaryOperator, OperatorKind> = {
  '+': 'arithmetic',
  '-': 'arithmetic',
  '*': 'arithmetic',
  '/': 'arithmetic',
  '^': 'arithmetic',
  '<': 'comparison',
  '<=': 'comparison',
  '>': 'comparison',
  '>=': 'comparison',
  '==': 'equality',
  '!=': 'equality',
  and: 'logic',
  or: 'logic',
};

/** True for the operators of the allow-list that stand between two operands. */
export function isBinaryOperator(text: string): text is BinaryOperator {
  return Object.hasOwn(operatorKinds, text);
}
