import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { generatedFiles } from '../../ops/generated.ts';

const files = generatedFiles();

describe('deploy/', () => {
  it.each([...files])('%s is what the code makes (npm run ops writes it)', (path, text) => {
    expect(readFileSync(path, 'utf8')).toBe(text);
  });

  it('holds no dashboard that the code does not make', () => {
    const committed = readdirSync('deploy/grafana').filter((file) => file.endsWith('.json'));
    expect(committed.map((file) => `deploy/grafana/${file}`).filter((path) => !files.has(path))).toEqual([]);
  });
});
