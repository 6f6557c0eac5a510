import { z } from 'zod';
import { Intent } from './intent.ts';
import { MatchValue } from './match.ts';
import { EXCEPTION_FIELDS, EXCEPTIONS_MAX, ExceptionCap, measuresOver, Rule, RuleException } from './rule.ts';

const LIST_VALUES_MAX = 1000;

const FragmentName = z
  .string()
  .regex(/^[a-z][a-z0-9-]{1,63}$/, 'a name is 2 to 64 lower-case letters, digits and dashes, a letter first');

const AuthoredMap = z
  .object({
    macro: z
      .union([FragmentName, z.array(FragmentName).min(1)])
      .optional()
      .describe('Macro, or several, that must hold as well.'),
  })
  .catchall(z.union([MatchValue, z.strictObject({ list: FragmentName.describe('Any value of that list.') })]))
  .describe('field or field|modifier: value; all of them must hold');
const AuthoredMatch = z
  .union([AuthoredMap, z.array(AuthoredMap).min(1)])
  .describe('A map (all must hold) or a list of maps (any may hold). A list as value means any of its values.');

/** A rule as it stands in a file: its matches may name lists and macros. The policy holds it with these written out. */
export const AuthoredRule = Rule.extend({
  match: AuthoredMatch.default({}).describe('Which actions the rule looks at; absent means all.'),
  measure: measuresOver(AuthoredMatch),
  exceptions: z
    .array(RuleException.extend({ match: AuthoredMatch }))
    .min(1)
    .max(EXCEPTIONS_MAX)
    .optional()
    .describe(Rule.shape.exceptions.description!),
}).describe('Firebreak rule');

/** An intent as it stands in a file. */
export const AuthoredIntent = Intent.extend({
  match: AuthoredMatch.describe(Intent.shape.match.description!),
  after: AuthoredMatch.optional().describe(Intent.shape.after.description!),
}).describe('Firebreak intent');

/** Values that several rules of a folder share: `tool: { list: NAME }`. */
export const ListDocument = z
  .strictObject({
    kind: z.literal('list'),
    name: FragmentName.describe('Rules write { list: NAME } as a value.'),
    description: z.string().max(4000).optional().describe('What the values have in common.'),
    values: z
      .array(z.union([z.string(), z.number(), z.boolean()]))
      .min(1)
      .max(LIST_VALUES_MAX)
      .describe('Any of them is meant, or with the modifier `all` each of them.'),
  })
  .describe('Firebreak list of values');
export type ListDocument = z.infer<typeof ListDocument>;

/** A part of a match that several rules of a folder share: `match: { macro: NAME, … }`. */
export const MacroDocument = z
  .strictObject({
    kind: z.literal('macro'),
    name: FragmentName.describe('Rules write macro: NAME in a match.'),
    description: z.string().max(4000).optional().describe('What the match means.'),
    match: AuthoredMatch,
  })
  .describe('Firebreak macro');

/** An exception of several rules, or of all. The policy holds it in each of them. */
export const ExceptionDocument = z
  .strictObject({
    kind: z.literal('exception'),
    ...EXCEPTION_FIELDS,
    match: AuthoredMatch,
    rules: z.array(Rule.shape.id).min(1).optional().describe('Ids of the rules that it is about; absent means all.'),
    atMost: ExceptionCap,
  })
  .describe('Firebreak exception');
