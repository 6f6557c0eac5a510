import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';

/** What comes with the package, wherever it is installed: this file is `src/cli/…` or `dist/cli/…`. */
const ROOT = resolve(import.meta.dirname, '../..');

export const SHIPPED_RULES = resolve(ROOT, 'rules');
/** The recorded day of the demo. */
export const STORY = resolve(ROOT, 'fixtures/story/events.ndjson');
/** A process that says that it deletes mail after mail. */
export const AGENT = resolve(ROOT, 'fixtures/enforcer/agent.mjs');
export const PACKAGE = resolve(ROOT, 'package.json');

export function packageVersion(): string {
  return (JSON.parse(readFileSync(PACKAGE, 'utf8')) as { version: string }).version;
}
