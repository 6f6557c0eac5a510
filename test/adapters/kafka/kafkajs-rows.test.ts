import { existsSync, readFileSync } from 'node:fs';
import { expect, it } from 'vitest';

const FOLDER = 'src/adapters/kafka';
const rows = readFileSync(`${FOLDER}/README.md`, 'utf8')
  .split('\n')
  .filter((line) => line.startsWith('| ') && !line.startsWith('| kafkajs'))
  .map((line) => line.split('|').map((cell) => cell.trim()));

it.each(rows.map(([, what, , here, test]) => [what!, here!, test!] as const))('%s', (what, here, test) => {
  expect(what).toMatch(/\[(#\d+|source)\]\(https:/);
  const named = [...here.matchAll(/`([^`]+)`/g)].map(([, name]) => name!);
  const files = named.filter((name) => name.endsWith('.ts'));
  expect(files.length).toBeGreaterThan(0);
  const source = files.map((file) => readFileSync(`${FOLDER}/${file}`, 'utf8')).join('\n');
  for (const name of named.filter((one) => !files.includes(one))) expect(source).toContain(name);
  const [, file, title] = /^`([^`]+)`: (.+)$/.exec(test)!;
  const tests = `test/adapters/kafka/${file}`;
  expect(existsSync(tests)).toBe(true);
  expect(readFileSync(tests, 'utf8')).toContain(title!);
});
