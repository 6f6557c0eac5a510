import { existsSync, readFileSync } from 'node:fs';
import { expect, it } from 'vitest';

const rows = readFileSync('deploy/SECURITY.md', 'utf8')
  .split('\n')
  .filter((line) => /^\| \d+ \|/.test(line))
  .map((line) => line.split('|').map((cell) => cell.trim()));

it('the threat model is numbered', () => {
  expect(rows.map(([, number]) => Number(number))).toEqual(rows.map((_, at) => at + 1));
  expect(rows.length).toBeGreaterThan(10);
});

it.each(rows.map(([, , threat, , tests]) => [threat!, tests!] as const))(
  '%s: has its tests, or says so',
  (_, tests) => {
    const files = [...tests.matchAll(/`([^`]+)`/g)].map(([, file]) => file!);
    if (files.length === 0) expect(tests).toContain('*none*');
    for (const file of files) expect(existsSync(`test/${file}`), file).toBe(true);
  },
);
