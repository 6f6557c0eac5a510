// Turns TypeScript sources into modules that Node 20 runs, with one line changed if it is told so.
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import ts from 'typescript';

const root = resolve(import.meta.dirname, '../..');
const OPTIONS = {
  module: ts.ModuleKind.ESNext,
  target: ts.ScriptTarget.ES2023,
  verbatimModuleSyntax: true,
  rewriteRelativeImportExtensions: true,
};
const IMPORTS = /\bfrom '(\.[^']+\.ts)'/g;
/** Source text → JavaScript: the builds of one process share what they do not change. */
const transpiled = new Map();

/**
 * Builds `entry` and all that it imports into `.simulation/NAME`, and answers the address of the built entry.
 * `change` replaces the text `find` in `file`, where it must be exactly once: a change that no longer fits is an error.
 */
export function build(entry, name = 'product', change = undefined) {
  const out = join(root, '.simulation', name);
  const files = new Set([resolve(root, entry)]);
  let changed = change === undefined;
  for (const file of files) {
    const path = relative(root, file);
    let text = readFileSync(file, 'utf8');
    if (path === change?.file) {
      const parts = text.split(change.find);
      if (parts.length !== 2) throw new Error(`${path}: "${change.find}" is there ${parts.length - 1} times, not once`);
      text = parts.join(change.replace);
      changed = true;
    }
    write(join(out, path.replace(/\.ts$/, '.js')), compiled(text));
    for (const [, imported] of text.matchAll(IMPORTS)) files.add(resolve(dirname(file), imported));
  }
  if (!changed) throw new Error(`${change.file} is no part of ${entry}`);
  return pathToFileURL(join(out, entry.replace(/\.ts$/, '.js'))).href;
}

function compiled(text) {
  const known = transpiled.get(text) ?? ts.transpileModule(text, { compilerOptions: OPTIONS }).outputText;
  transpiled.set(text, known);
  return known;
}

/** Whole or not at all: another process may build the same. */
function write(file, text) {
  mkdirSync(dirname(file), { recursive: true });
  const part = `${file}.${process.pid}`;
  writeFileSync(part, text);
  renameSync(part, file);
}
