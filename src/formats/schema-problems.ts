import { z } from 'zod';
import { explain } from '../domain/explain.ts';

/** One mistake against a schema, with a path from the root of the value. */
export interface SchemaProblem {
  path: PropertyKey[];
  place?: 'key';
  message: string;
  /** The name that no schema knows, and the names that it knows there. */
  unknown?: { name: string; allowed: readonly string[] };
  /** The name of a required field that is not there. */
  missing?: string;
}

/** Every leaf of a zod error, in the order of the schema. */
export function schemaProblems(error: z.ZodError, schema: z.ZodType, root: unknown): SchemaProblem[] {
  return error.issues.flatMap((issue) => leaves(issue, schema, root));
}

type Issue = z.core.$ZodIssue;

function leaves(issue: Issue, schema: z.ZodType, root: unknown): SchemaProblem[] {
  switch (issue.code) {
    case 'unrecognized_keys':
      return issue.keys.map((key) => ({
        path: [...issue.path, key],
        place: 'key',
        message: `unknown field "${key}"`,
        unknown: { name: key, allowed: keysAt(schema, issue.path) },
      }));
    case 'invalid_key':
      return [
        {
          path: [...issue.path],
          place: 'key',
          message: `"${String(issue.path.at(-1))}": ${issue.issues[0]?.message ?? issue.message}`,
        },
      ];
    case 'invalid_union':
      return unionLeaves(issue, schema, root);
    case 'custom':
      return [{ path: [...issue.path], message: `${nameOf(issue.path)}: ${issue.message}` }];
    default: {
      const [told] = explain(new z.ZodError([issue]), root);
      const { found, allowed } = told!;
      return [foundProblem(issue.path, found, allowed)];
    }
  }
}

function foundProblem(path: readonly PropertyKey[], found: string, allowed: string): SchemaProblem {
  const name = nameOf(path);
  if (found !== 'nothing') return { path: [...path], message: `${name}: found ${found}; allowed: ${allowed}` };
  return { path: [...path], message: `"${name}" is missing; allowed: ${allowed}`, missing: String(path.at(-1)) };
}

/** Of a union, the one branch that the value is shaped like; without such a branch, what all of them allow. */
function unionLeaves(
  issue: Extract<Issue, { code: 'invalid_union' }>,
  schema: z.ZodType,
  root: unknown,
): SchemaProblem[] {
  const branches = issue.errors.map((issues) =>
    issues.map((inner): Issue => ({ ...inner, path: [...issue.path, ...inner.path] })),
  );
  const isInside = ({ path }: Issue) => path.length > issue.path.length;
  const byLength = (a: Issue[], b: Issue[]) => a.length - b.length;
  const shaped = branches.filter((issues) => issues.every(isInside)).sort(byLength);
  // Without such a branch a key may be misspelt: it says less about the shape than what else is there.
  const isNearly = (one: Issue) => isInside(one) || one.code === 'unrecognized_keys';
  const closest = shaped[0] ?? branches.filter((issues) => issues.every(isNearly)).sort(byLength)[0];
  if (closest !== undefined) return closest.flatMap((inner) => leaves(inner, schema, root));
  const told = branches.flatMap((issues) => explain(new z.ZodError(issues.slice(0, 1)), root));
  const each = [...new Set(told.map((one) => one.allowed))].join(', or ');
  const allowed = issue.message === ZOD_UNION_MESSAGE ? each : issue.message;
  return [foundProblem(issue.path, told[0]?.found ?? 'nothing', allowed)];
}

/** What zod says of a union without a message of its own. */
const ZOD_UNION_MESSAGE = 'Invalid input';

function nameOf(path: readonly PropertyKey[]): string {
  return path.map(String).join('.') || 'the document';
}

/** The fields that a schema knows at a path. */
function keysAt(schema: unknown, path: readonly PropertyKey[]): string[] {
  if (schema instanceof z.ZodOptional || schema instanceof z.ZodDefault) return keysAt(schema.unwrap(), path);
  if (schema instanceof z.ZodUnion) return [...new Set(schema.options.flatMap((option) => keysAt(option, path)))];
  const [key, ...rest] = path;
  if (key === undefined) return schema instanceof z.ZodObject ? Object.keys(schema.shape) : [];
  if (schema instanceof z.ZodObject) return keysAt(schema.shape[key as string], rest);
  if (schema instanceof z.ZodArray) return keysAt(schema.element, rest);
  if (schema instanceof z.ZodRecord) return keysAt(schema.valueType, rest);
  return [];
}
