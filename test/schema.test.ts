import { readdir, readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { schemaFiles } from '../src/cli/schema.ts';

const folder = new URL('../schema/', import.meta.url);

interface Fields {
  $schema: string;
  properties: Record<string, { description?: string }>;
  required?: string[];
}

describe('schema/', () => {
  const files = schemaFiles();

  it('holds exactly what the code generates', async () => {
    const committed = (await readdir(folder)).filter((file) => file.endsWith('.json'));
    expect(committed.sort()).toEqual([...files.keys()].sort());
  });

  it.each([...files])('%s is what the code generates (npm run schema writes it)', async (file, text) => {
    expect(await readFile(new URL(file, folder), 'utf8')).toBe(text);
    expect(JSON.parse(text)).toMatchObject({ $schema: 'http://json-schema.org/draft-07/schema#' });
  });

  it.each(['rule.json', 'policy.json', 'config.json'].filter((file) => files.has(file)))(
    '%s shows an editor a text for every field and asks only for what has no default',
    (file) => {
      const { properties, required = [] } = JSON.parse(files.get(file)!) as Fields;
      const silent = Object.keys(properties).filter((field) => field !== 'kind' && !properties[field]!.description);
      expect(silent).toEqual([]);
      expect(required).not.toContain('mode');
    },
  );
});
