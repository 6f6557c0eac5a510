import { existsSync } from 'node:fs';
import type { Command } from 'commander';
import type { Config } from '../app/config.ts';
import { describeConfig, type Reading } from '../app/config-settings.ts';
import { FILE_VARIABLE, loadConfig } from '../app/config-sources.ts';

/** The file that is read when nobody names another. */
const DEFAULT_FILE = 'firebreak.yaml';

/** Mistakes in the configuration, each with the place where it was said. */
export class ConfigRefused extends Error {
  override readonly name = 'ConfigRefused';
}

/** Adds `--config` and the flags that stand for settings; with `only`, those of these settings. */
export function configOptions(command: Command, only: (path: string) => boolean = () => true): Command {
  command.option('--config <file>', `configuration file; else ${FILE_VARIABLE}, else ${DEFAULT_FILE} where it exists`);
  for (const { path, flag, description, reading } of describeConfig()) {
    if (flag === undefined || !only(path)) continue;
    command.option(reading === 'boolean' ? flag : `${flag} <${PLACEHOLDER[reading]}>`, description);
  }
  return command;
}

const PLACEHOLDER: Record<Exclude<Reading, 'boolean'>, string> = { text: 'text', number: 'number', list: 'a,b' };

/** Text that is no number is handed on: the configuration says what is allowed there. */
const READERS: Record<Reading, (value: unknown) => unknown> = {
  text: (value) => value,
  number: (value) => (Number.isFinite(Number(value)) ? Number(value) : value),
  list: (value) => String(value).split(','),
  boolean: (value) => value,
};

/** Reads file, environment and flags. Throws a ConfigRefused with every mistake. */
export function configOf(options: Record<string, unknown>): Config {
  const flags: Record<string, unknown> = {};
  for (const { path, flag, reading } of describeConfig()) {
    const value = flag === undefined ? undefined : options[optionName(flag)];
    if (value !== undefined) flags[path] = READERS[reading](value);
  }
  const named = options['config'] ?? process.env[FILE_VARIABLE];
  const file = typeof named === 'string' ? named : existsSync(DEFAULT_FILE) ? DEFAULT_FILE : undefined;
  const loaded = loadConfig({ file, env: process.env, flags });
  if (loaded.ok) return loaded.config;
  throw new ConfigRefused(`the configuration has mistakes:\n${loaded.problems.map((one) => `  ${one}`).join('\n')}`);
}

/** `--topic-prefix` → `topicPrefix`, as commander names it. */
function optionName(flag: string): string {
  return flag.slice(2).replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase());
}
