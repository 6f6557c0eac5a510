/** How many threads a verb starts. */
export function workersOf(text: string): number {
  const workers = Number(text);
  if (Number.isInteger(workers) && workers >= 1 && workers <= 256) return workers;
  throw new Error(`--workers: found "${text}"; allowed: a whole number from 1 to 256`);
}
