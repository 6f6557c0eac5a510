import type { Names, ValueType } from '../../../src/engine/expression/compile.ts';

const declared: Record<string, ValueType> = {
  deletes: 'number',
  targets: 'number',
  p99: 'number',
  'baseline.deletes.p99': 'number',
  'session.age': 'number',
  tool: 'string',
  'session.role': 'string',
  quiet: 'boolean',
  'session.delegated': 'boolean',
};

/** The names that these tests declare; the slot is the position. */
export const paths = Object.keys(declared);
const bySlot = new Map(paths.map((path, slot) => [path, { slot, type: declared[path]! }]));

export const names: Names = { lookup: (path) => bySlot.get(path), all: () => paths };
