import { readdir, readFile } from 'node:fs/promises';
import asyncApi from '@asyncapi/specs';
import { Ajv } from 'ajv';
import addFormats from 'ajv-formats';
import { describe, expect, it } from 'vitest';
import { contractFiles, schemaFiles } from '../src/cli/schema.ts';

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
    expect(committed.sort()).toEqual([...files.keys(), ...contractFiles().keys()].sort());
  });

  it.each([...files])('%s is what the code generates (npm run schema writes it)', async (file, text) => {
    expect(await readFile(new URL(file, folder), 'utf8')).toBe(text);
    expect(JSON.parse(text)).toMatchObject({ $schema: 'http://json-schema.org/draft-07/schema#' });
  });

  it.each([...contractFiles()])('%s is what the code generates', async (file, text) => {
    expect(await readFile(new URL(file, folder), 'utf8')).toBe(text);
  });

  it('asyncapi.json is valid, and every payload is a schema beside it', async () => {
    const document = contractFiles().get('asyncapi.json')!;
    const validator = new Ajv({ strict: false, logger: false });
    addFormats.default(validator);
    const valid = validator.validate(asyncApi.schemasWithoutId['3.0.0'] as object, JSON.parse(document));
    expect(validator.errors ?? []).toEqual([]);
    expect(valid).toBe(true);
    const payloads = [...document.matchAll(/"\$ref": "\.\/([^"]+)"/g)].map(([, file]) => file!);
    expect(payloads.length).toBeGreaterThan(10);
    expect(payloads.filter((file) => !files.has(file))).toEqual([]);
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
