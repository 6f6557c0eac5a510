import type { z } from 'zod';

/** A mistake in data, in the words of whoever wrote the data: where, what is there, what may be there. */
export interface Explained {
  /** Dotted; empty for the whole value. */
  path: string;
  found: string;
  allowed: string;
}

/** Every mistake that zod reports about `root`. */
export function explain(error: z.ZodError, root: unknown): Explained[] {
  return error.issues.map((issue) => ({
    path: issue.path.join('.'),
    found: issue.code === 'unrecognized_keys' ? issue.keys.join(', ') : describeValue(valueAt(root, issue.path)),
    allowed: allowedBy(issue),
  }));
}

/** `path: found X, allowed Y; …` on one line. */
export function explainLine(error: z.ZodError, root: unknown): string {
  return explain(error, root)
    .map(({ path, found, allowed }) => `${path || 'value'}: found ${found}, allowed: ${allowed}`)
    .join('; ');
}

/** Without control and formatting characters, and short: fit for a log line, a header, a terminal. */
export function plainText(text: string, lengthMax: number): string {
  return text.slice(0, lengthMax).replace(/[\p{C}\p{Zl}\p{Zp}]/gu, '?');
}

function allowedBy(issue: z.core.$ZodIssue): string {
  switch (issue.code) {
    case 'invalid_type':
      return TYPE_NAMES[issue.expected] ?? issue.expected;
    case 'invalid_value':
      return issue.values.map(String).join(', ');
    case 'too_small':
      return `at least ${issue.minimum}${UNITS[issue.origin] ?? ''}`;
    case 'too_big':
      return `at most ${issue.maximum}${UNITS[issue.origin] ?? ''}`;
    case 'unrecognized_keys':
      return 'no such field';
    default:
      return issue.message;
  }
}

const TYPE_NAMES: Record<string, string> = {
  int: 'a whole number',
  number: 'a number',
  string: 'a string',
  boolean: 'true or false',
  array: 'a list',
  object: 'an object',
  record: 'an object',
};
const UNITS: Record<string, string> = { string: ' characters', array: ' items' };

function valueAt(root: unknown, path: readonly PropertyKey[]): unknown {
  let value = root;
  for (const key of path) value = (value as Record<PropertyKey, unknown> | null | undefined)?.[key];
  return value;
}

const SHOWN_MAX = 40;

function describeValue(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (Array.isArray(value)) return `a list of ${value.length}`;
  if (typeof value === 'string') {
    return value.length <= SHOWN_MAX ? JSON.stringify(value) : `a string of ${value.length} characters`;
  }
  return typeof value === 'object' && value !== null ? 'an object' : String(value);
}
