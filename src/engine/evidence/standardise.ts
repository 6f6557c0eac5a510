import type { TailMap } from '../../domain/baseline.ts';

/** About -ln P(a benign session ever reaches x), in nats. Makes streams comparable before the largest is taken. */
export function standardise({ u, lpu, eta }: TailMap, x: number): number {
  if (!(x > 0)) return 0;
  return x < u ? (x * lpu) / u : lpu + eta * (x - u);
}
