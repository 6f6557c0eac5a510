import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Command } from 'commander';
import { z } from 'zod';
import { openApiDocument } from '../app/api/openapi.ts';
import { asyncApiDocument } from '../app/async-api.ts';
import { Config } from '../app/config.ts';
import { SCHEMAS } from '../domain/schemas.ts';

/** What people write by hand: a field with a default may be left out there, elsewhere it is always present. */
const AUTHORED: ReadonlySet<string> = new Set(['rule', 'list', 'macro', 'exception', 'policy', 'config']);

/** JSON Schema (draft-07, which editors understand best) of everything in `SCHEMAS` and of the configuration, by file name. */
export function schemaFiles(): Map<string, string> {
  return new Map(
    Object.entries({ ...SCHEMAS, config: Config }).map(([name, schema]) => {
      const json = z.toJSONSchema(schema, {
        target: 'draft-7',
        io: AUTHORED.has(name) ? 'input' : 'output',
        unrepresentable: 'throw',
      });
      return [`${name}.json`, `${JSON.stringify(json, null, 2)}\n`];
    }),
  );
}

/** The documents of the two contracts, by file name: topics and HTTP. */
export function contractFiles(): Map<string, string> {
  const documents = { asyncapi: asyncApiDocument(), openapi: openApiDocument() };
  return new Map(
    Object.entries(documents).map(([name, document]) => [`${name}.json`, `${JSON.stringify(document, null, 2)}\n`]),
  );
}

/** Writes them all. Returns the paths. */
export async function writeSchemas(folder: string): Promise<string[]> {
  await mkdir(folder, { recursive: true });
  const paths: string[] = [];
  for (const [file, text] of [...schemaFiles(), ...contractFiles()]) {
    paths.push(join(folder, file));
    await writeFile(join(folder, file), text);
  }
  return paths;
}

export function registerSchema(program: Command): void {
  program
    .command('schema')
    .description('write the JSON Schemas of rules, events, commands, findings, the AsyncAPI and the OpenAPI document')
    .requiredOption('--out <dir>', 'folder to write to')
    .addHelpText('after', '\nExample:\n  firebreak schema --out schema')
    .action(async ({ out }: { out: string }) => {
      for (const path of await writeSchemas(out)) process.stdout.write(`${path}\n`);
    });
}
