/**
 * The smallest of the values that a new one stays at or below with at least this probability, if it comes from where they
 * came: the one of rank ceil(share * (n + 1)). Of too few values the largest. 0 of none.
 */
export function quantile(values: readonly number[], share: number): number {
  const rising = [...values].sort((a, b) => a - b);
  const rank = Math.ceil(share * (rising.length + 1) - 1e-9);
  return rising[Math.min(Math.max(rank, 1), rising.length) - 1] ?? 0;
}
