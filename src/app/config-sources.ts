import { readFileSync } from 'node:fs';
import { isMap, LineCounter, parseDocument } from 'yaml';
import { explain } from '../domain/explain.ts';
import { nearestName } from '../engine/expression/names.ts';
import { Config } from './config.ts';
import { describeConfig, type Setting } from './config-settings.ts';

/** Where settings come from; a later one overrules an earlier one. */
export interface ConfigSources {
  /** Path of a YAML file. */
  file?: string | undefined;
  env: Readonly<Record<string, string | undefined>>;
  /** By path of the setting, as `FLAGS` lists them; undefined where the flag was not given. */
  flags: Readonly<Record<string, unknown>>;
}

export type LoadedConfig = { ok: true; config: Config } | { ok: false; problems: string[] };

/** The variable that names the file itself, read by the CLI. */
export const FILE_VARIABLE = 'FIREBREAK_CONFIG';

/**
 * Reads all sources and checks the result as a whole. Every mistake is named at once, with the place that it came
 * from, what was found and what is allowed; secrets are not repeated.
 */
export function loadConfig({ file, env, flags }: ConfigSources): LoadedConfig {
  const draft = new Draft();
  if (file !== undefined) readFile(draft, file);
  readEnvironment(draft, env);
  for (const [path, value] of Object.entries(flags)) {
    if (value === undefined) continue;
    draft.set(path, value, SETTINGS.get(path)?.flag ?? path);
    if (path === 'redis.url' && passwordIn(value)) draft.problems.push(PASSWORD_ON_COMMAND_LINE);
  }
  draft.inferPolicySource();
  const parsed = Config.safeParse(draft.value);
  if (parsed.success && draft.problems.length === 0) return { ok: true, config: parsed.data };
  return { ok: false, problems: [...draft.problems, ...(parsed.success ? [] : problemsOf(draft, parsed.error))] };
}

const PREFIX = 'FIREBREAK_';

const PASSWORD_ON_COMMAND_LINE =
  '--redis: found a password, allowed: an address without one (every user of the machine sees command lines); ' +
  'set FIREBREAK_REDIS__PASSWORD_FILE';

/** Also in an address that is wrong: it is in the list of processes all the same. */
function passwordIn(url: unknown): boolean {
  return typeof url === 'string' && /:\/\/[^/@]*:[^/@]+@/.test(url);
}

const SETTINGS: ReadonlyMap<string, Setting> = new Map(describeConfig().map((setting) => [setting.path, setting]));
const PATHS = [...SETTINGS.keys()];

type Tree = { [key: string]: unknown };

/** The settings so far, and for each path the place that set it. */
class Draft {
  value: Tree = {};
  readonly problems: string[] = [];
  readonly #places = new Map<string, string>();
  #placeInFile: (path: readonly string[]) => string | undefined = () => undefined;

  startWith(value: Tree, placeInFile: (path: readonly string[]) => string | undefined): void {
    this.value = value;
    this.#placeInFile = placeInFile;
  }

  set(path: string, value: unknown, place: string): void {
    const keys = path.split('.');
    const last = keys.pop()!;
    let owner = this.value;
    for (const key of keys) {
      owner[key] ??= {};
      const next = owner[key];
      if (!isTree(next)) return; // and therefore the schema refuses what the file has there
      owner = next;
    }
    owner[last] = value;
    this.#places.set(path, place);
  }

  /** A rules folder without a word about the source means that it is the source. */
  inferPolicySource(): void {
    const { policy } = this.value;
    if (isTree(policy) && policy['rules'] !== undefined && policy['source'] === undefined) policy['source'] = 'folder';
  }

  placeOf(path: readonly string[]): string | undefined {
    for (let length = path.length; length > 0; length--) {
      const place = this.#places.get(path.slice(0, length).join('.'));
      if (place !== undefined) return place;
    }
    return this.#placeInFile(path);
  }
}

function isTree(value: unknown): value is Tree {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function readFile(draft: Draft, file: string): void {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    draft.problems.push(`${file}: cannot be read (${(error as NodeJS.ErrnoException).code})`);
    return;
  }
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const place = (offset: number) => `${file}:${lines.linePos(offset).line}`;
  for (const error of document.errors) draft.problems.push(`${place(error.pos[0])}: ${error.message}`);
  if (document.errors.length > 0 || document.contents === null) return;
  let value: unknown;
  try {
    value = document.toJS();
  } catch (error) {
    draft.problems.push(`${file}: ${(error as Error).message}`); // aliases without end
    return;
  }
  if (value === null) return;
  if (!isTree(value)) {
    draft.problems.push(
      `${place(0)}: found ${Array.isArray(value) ? 'a list' : typeof value}, allowed: a map of settings`,
    );
    return;
  }
  draft.startWith(value, (path) => {
    for (let length = path.length; length > 0; length--) {
      const owner = length === 1 ? document.contents : document.getIn(path.slice(0, length - 1), true);
      const pair = isMap(owner) ? owner.items.find(({ key }) => String(key) === path[length - 1]) : undefined;
      const range = (pair?.key as { range?: [number, number, number] } | undefined)?.range;
      if (range) return place(range[0]);
    }
    return undefined;
  });
}

function readEnvironment(draft: Draft, env: ConfigSources['env']): void {
  const known = new Map([...SETTINGS.values()].map((setting) => [setting.env, setting]));
  const seen = new Map<string, string>();
  for (const [variable, text] of Object.entries(env)) {
    if (text === undefined || !variable.startsWith(PREFIX) || variable === FILE_VARIABLE) continue;
    const setting = known.get(variable) ?? fileSetting(known, variable);
    if (setting === undefined) {
      const problem = unknownVariable(variable, [...known.keys()]);
      if (problem !== undefined) draft.problems.push(problem);
      continue;
    }
    const other = seen.get(setting.path);
    if (other !== undefined) draft.problems.push(`${variable}: ${other} is set too; allowed: one of them`);
    seen.set(setting.path, variable);
    const value = variable === setting.env ? text : readSecret(draft, variable, text);
    if (value !== undefined) draft.set(setting.path, readText(setting, value), variable);
  }
}

function withoutPrefix(variable: string): string {
  return variable.slice(PREFIX.length);
}

function fileSetting(known: ReadonlyMap<string, Setting>, variable: string): Setting | undefined {
  const setting = variable.endsWith('_FILE') ? known.get(variable.slice(0, -'_FILE'.length)) : undefined;
  return setting?.secret ? setting : undefined;
}

/** One trailing newline is the editor's, not the secret's. */
function readSecret(draft: Draft, variable: string, file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8').replace(/\r?\n$/, '');
  } catch (error) {
    draft.problems.push(`${variable}: ${file} cannot be read (${(error as NodeJS.ErrnoException).code})`);
    return undefined;
  }
}

/**
 * Kubernetes sets FIREBREAK_SERVICE_HOST, FIREBREAK_PORT_… next to a Service of this name. They have no `__`, all of
 * ours have one, so a variable without it is refused only when it is one of ours with a `_` too few.
 */
function unknownVariable(variable: string, known: readonly string[]): string | undefined {
  const meant = variable.includes('__')
    ? known.find((name) => name === PREFIX + nearestName(withoutPrefix(variable), known.map(withoutPrefix)))
    : known.find((name) => name.replaceAll('_', '') === variable.replaceAll('_', ''));
  if (meant === undefined && !variable.includes('__')) return undefined;
  return `${variable}: no such setting${meant === undefined ? '' : `; did you mean ${meant}?`}`;
}

function readText({ reading }: Setting, text: string): unknown {
  switch (reading) {
    case 'text':
      return text;
    case 'list':
      return text.split(',').map((item) => item.trim());
    case 'number':
      return /^-?\d+(\.\d+)?$/.test(text) ? Number(text) : text;
    case 'boolean':
      return text === 'true' ? true : text === 'false' ? false : text;
  }
}

function problemsOf(draft: Draft, error: Parameters<typeof explain>[0]): string[] {
  const explained = explain(error, draft.value);
  return error.issues.flatMap((issue, at) => {
    const path = issue.path.map(String);
    if (issue.code === 'unrecognized_keys') {
      return issue.keys.map((key) => {
        const name = [...path, key].join('.');
        const meant = nearestName(name, PATHS);
        return `${draft.placeOf([...path, key]) ?? name}: no such setting: ${name}${meant === undefined ? '' : `; did you mean ${meant}?`}`;
      });
    }
    const { path: name, found, allowed } = explained[at]!;
    const setting = SETTINGS.get(path.filter((part) => !/^\d+$/.test(part)).join('.'));
    const shown = setting?.secret && found !== 'nothing' ? 'a secret that does not fit' : found;
    const place = draft.placeOf(path);
    const mend =
      found === 'nothing' && setting !== undefined ? `; set ${setting.env}${setting.secret ? '_FILE' : ''}` : '';
    return [`${place === undefined ? '' : `${place}: `}${name}: found ${shown}, allowed: ${allowed}${mend}`];
  });
}
