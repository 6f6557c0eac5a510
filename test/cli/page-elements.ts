import { expect } from 'vitest';

/** Names of the elements in the order in which they open. Throws where one is not closed as it was opened. */
export function elements(page: string): string[] {
  const open: string[] = [];
  const seen: string[] = [];
  for (const [, slash, name, , self] of page.matchAll(
    /<(\/?)([a-z][a-z0-9]*)((?:\s+[a-zA-Z-]+="[^"<>]*")*)\s*(\/?)>/g,
  )) {
    if (slash === '/') expect(open.pop()).toBe(name);
    else {
      seen.push(name!);
      if (self !== '/' && !['meta', 'br'].includes(name!)) open.push(name!);
    }
  }
  expect(open).toEqual([]);
  return seen;
}
