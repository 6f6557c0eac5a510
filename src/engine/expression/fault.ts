export type FaultReason = 'not-finite' | 'wrong-type';

/**
 * The only thing that `evaluate` throws. `not-finite`: a number that was read or computed is NaN or infinite.
 * `wrong-type`: a slot held another type than the one declared for it.
 *
 * The two instances below are made once, because a fault can occur on every event of a session. They are frozen
 * and their stack says nothing about where they were thrown.
 */
export class ExpressionFault extends Error {
  override readonly name = 'ExpressionFault';
  readonly reason: FaultReason;

  constructor(reason: FaultReason) {
    super(
      reason === 'not-finite'
        ? 'the expression read or computed a number that is not finite'
        : 'a value that the expression read does not have its declared type',
    );
    this.reason = reason;
  }
}

export const notFinite = Object.freeze(new ExpressionFault('not-finite'));
export const wrongType = Object.freeze(new ExpressionFault('wrong-type'));
