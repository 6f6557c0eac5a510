import { readdirSync, readFileSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { describe, expect, it } from 'vitest';

/** Imports point to a lower number, or stay in their own room. */
const LAYERS: Record<string, number> = {
  domain: 0,
  engine: 1,
  learning: 1,
  formats: 1,
  'ports.ts': 2,
  adapters: 3,
  app: 4,
  // What users of the package import. It may use everything but the command line.
  enforcer: 5,
  cli: 6,
};
const PURE: ReadonlySet<string> = new Set(['domain', 'engine', 'learning', 'formats']);
const LINES_MAX = 300;

/** Time, chance and the outside world: everything that would make a replay differ. */
const BANNED_IN_PURE: readonly [name: string, pattern: RegExp][] = [
  ['Date.now', /\bDate\.now\b/],
  ['new Date()', /\bnew Date\(\s*\)/],
  ['Date()', /(?<!new )\bDate\(/],
  ['new Date(text)', /\bnew Date\((?!atMs\))/],
  ['toLocale…', /\.toLocale\w*|\.localeCompare|\bIntl\./],
  ['Math.random', /\bMath\.random\b/],
  ['performance', /\bperformance\b\s*[.[]/],
  ['process', /\bprocess\s*[.[]/],
  ['timers', /\b(setTimeout|setInterval|setImmediate|queueMicrotask)\b/],
  ['fetch', /\bfetch\s*\(/],
  ['randomness of crypto', /\b(random(Bytes|UUID|Int|FillSync|Fill)|getRandomValues|generateKey\w*)\b/],
  ['console', /\bconsole\s*\./],
  ['await', /\bawait\b|\basync\b/],
  ['import()', /\bimport\s*\(/],
  ['globalThis', /\bglobalThis\b/],
  ['WeakRef', /\b(WeakRef|FinalizationRegistry)\b/],
];
/** Who may read the time: the clock itself, and what compares with an instant that kafkajs took from `Date.now`. */
const CLOCKS: ReadonlySet<string> = new Set(['adapters/system-clock.ts', 'adapters/kafka/kafkajs.ts']);
/** What Node offers that is a function of its arguments: hashes, signatures, address arithmetic. */
const PURE_NAMES: Record<string, readonly string[]> = {
  'node:crypto': ['createHash', 'createPrivateKey', 'createPublicKey', 'KeyObject', 'sign', 'verify'],
  'node:net': ['BlockList', 'isIP'],
  'node:zlib': ['crc32'],
};
const NODE_MODULES: ReadonlySet<string> = new Set(builtinModules.flatMap((name) => [name, `node:${name}`]));
/** Names of drawers. A file belongs to what it knows. */
const DRAWERS = /^(utils?|lib|libs|common|shared|helpers?|misc|types|interfaces|enums|classes)(\.ts)?$/;

const root = resolve(import.meta.dirname, '../src');

interface Source {
  /** Relative to src, with `/`. */
  path: string;
  room: string;
  text: string;
  /** Without comments and without the content of strings. */
  code: string;
  imports: string[];
}

function readSource(file: string): Source {
  const path = relative(root, file).split(sep).join('/');
  const text = readFileSync(file, 'utf8');
  const code = text
    .replace(/\/\*[\s\S]*?\*\//g, '')
    .replace(/'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"/g, "''")
    .replace(/(^|[^:\\])\/\/.*$/gm, '$1');
  const imports = [...text.matchAll(/^(?:import|export)\b[^;]*?\bfrom\s+'([^']+)'|^import\s+'([^']+)'/gm)].map(
    ([, from, bare]) => from ?? bare!,
  );
  return { path, room: path.split('/')[0]!, text, code, imports };
}

const files = readdirSync(root, { recursive: true, encoding: 'utf8', withFileTypes: true })
  .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
  .map((entry) => readSource(join(entry.parentPath, entry.name)));
const pure = files.filter(({ room }) => PURE.has(room));

function faults(of: readonly Source[], find: (source: Source) => string[]): string[] {
  return of.flatMap((source) => find(source).map((fault) => `src/${source.path}: ${fault}`));
}

function roomOf(source: Source, imported: string): string {
  return relative(root, resolve(root, dirname(source.path), imported)).split(sep)[0]!;
}

function impureNames(module: string, text: string): string[] {
  const list = new RegExp(`^import (?:type )?\\{([^}]*)\\} from '${module}'`, 'm').exec(text)?.[1];
  if (list === undefined) return [module];
  const names = list.split(',').map((name) => name.trim().replace(/^type /, ''));
  return names.filter((name) => name !== '' && !PURE_NAMES[module]?.includes(name)).map((name) => `${module} ${name}`);
}

describe('the house', () => {
  it('is not empty, and every room has a layer', () => {
    expect(files.length).toBeGreaterThan(20);
    expect([...new Set(files.map(({ room }) => room))].filter((room) => LAYERS[room] === undefined)).toEqual([]);
  });

  it('imports point down only', () => {
    const upward = faults(files, (source) =>
      source.imports
        .filter((imported) => imported.startsWith('.'))
        .map((imported) => roomOf(source, imported))
        .filter((room) => room !== source.room && !(LAYERS[room]! < LAYERS[source.room]!))
        .map((room) => `imports ${room}`),
    );
    expect(upward).toEqual([]);
  });

  it('no file imports itself, by whatever detour', () => {
    const byPath = new Map(files.map((source) => [source.path, source]));
    const done = new Set<string>();
    const circles: string[] = [];
    const visit = (path: string, way: readonly string[]): void => {
      if (way.includes(path)) circles.push([...way.slice(way.indexOf(path)), path].join(' -> '));
      if (done.has(path) || way.includes(path)) return;
      const source = byPath.get(path);
      for (const imported of source?.imports.filter((one) => one.startsWith('.')) ?? []) {
        const target = relative(root, resolve(root, dirname(path), imported))
          .split(sep)
          .join('/');
        visit(target, [...way, path]);
      }
      done.add(path);
    };
    for (const { path } of files) visit(path, []);
    expect(circles).toEqual([]);
  });

  it('adapters of one outside thing do not know those of another', () => {
    const adapterOf = (path: string) => /^adapters\/([^/]+)\//.exec(path)?.[1];
    const across = faults(files, (source) => {
      const own = adapterOf(source.path);
      if (own === undefined) return [];
      return source.imports
        .filter((imported) => imported.startsWith('.'))
        .map((imported) =>
          adapterOf(
            relative(root, resolve(root, dirname(source.path), imported))
              .split(sep)
              .join('/'),
          ),
        )
        .filter((other) => other !== undefined && other !== own && other !== 'telemetry')
        .map((other) => `imports adapters/${other}`);
    });
    expect(across).toEqual([]);
  });

  it('relative imports name the file', () => {
    const vague = faults(files, ({ imports }) =>
      imports.filter((name) => name.startsWith('.') && !name.endsWith('.ts')),
    );
    expect(vague).toEqual([]);
  });

  it('no clock, no chance, no I/O in the pure rooms', () => {
    const impure = faults(pure, ({ path, text, code, imports }) => [
      ...BANNED_IN_PURE.filter(([, pattern]) => pattern.test(code)).map(([name]) => name),
      ...imports.filter((name) => NODE_MODULES.has(name)).flatMap((name) => impureNames(name, text)),
      ...(path === 'domain/instant.ts' || !/\bnew Date\b/.test(code) ? [] : ['new Date']),
    ]);
    expect(impure).toEqual([]);
  });

  it('no clock but Clock: only its adapters read the time', () => {
    const clocks = faults(
      files.filter(({ path }) => !CLOCKS.has(path) && !path.startsWith('cli/')),
      ({ code }) =>
        [/\bDate\.now\b/, /\bnew Date\(\s*\)/, /\bperformance\.now\b/, /\bMath\.random\b/]
          .filter((pattern) => pattern.test(code))
          .map(String),
    );
    expect(clocks).toEqual([]);
  });

  it('only the CLI reads the environment, the arguments, and ends the process', () => {
    const outside = faults(
      files.filter(({ room }) => room !== 'cli'),
      ({ code }) => [/\bprocess\.(env|argv|exit|exitCode|on|once)\b/.exec(code)?.[0] ?? []].flat(),
    );
    expect(outside).toEqual([]);
  });

  it(`no file has more than ${LINES_MAX} lines`, () => {
    expect(
      faults(files, ({ text }) => {
        const lines = text.trimEnd().split('\n').length;
        return lines > LINES_MAX ? [`${lines} lines`] : [];
      }),
    ).toEqual([]);
  });

  it('no barrels, no drawers', () => {
    expect(
      faults(files, ({ code }) => (/^export \*|^export \{[^}]*\} from/m.test(code) ? ['re-exports'] : [])),
    ).toEqual([]);
    expect(faults(files, ({ path }) => path.split('/').filter((part) => DRAWERS.test(part)))).toEqual([]);
  });
});

describe('the test itself', () => {
  it('sees each impure name of a module', () => {
    const text = "import { createHash, type KeyObject, randomUUID } from 'node:crypto';\nimport fs from 'node:fs';";
    expect(impureNames('node:crypto', text)).toEqual(['node:crypto randomUUID']);
    expect(impureNames('node:fs', text)).toEqual(['node:fs']);
  });

  it.each([
    ['const at = Date.now();', 'Date.now'],
    ['const at = new Date();', 'new Date()'],
    ["const at = new Date('2026');", 'new Date(text)'],
    ['Math.random()', 'Math.random'],
    ['process.env.X', 'process'],
    ['setTimeout(f, 1)', 'timers'],
    ['randomUUID()', 'randomness of crypto'],
    ['await x', 'await'],
  ])('sees %s', (code, name) => {
    expect(BANNED_IN_PURE.filter(([, pattern]) => pattern.test(code)).map(([found]) => found)).toContain(name);
  });
});
