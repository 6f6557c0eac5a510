import { BlockList, isIP } from 'node:net';
import { ACTIONS, OUTCOMES } from '../../domain/event.ts';
import type { FieldType, FieldValue } from '../../domain/fields.ts';
import { hint } from '../expression/names.ts';
import type { RuleProblem } from '../problem.ts';
import { compileRegex } from './regex.ts';
import { type Casing, compileText, compileTextPart, compileTexts } from './text-pattern.ts';

export type ValueTest = (value: FieldValue) => boolean;
type Scalar = string | number | boolean | null;
type ScalarTest = (value: Exclude<Scalar, null>) => boolean;

export const MODIFIERS = [
  'contains',
  'startswith',
  'endswith',
  're',
  'cidr',
  'gt',
  'gte',
  'lt',
  'lte',
  'exists',
  'neq',
  'all',
  'cased',
] as const;
type Modifier = (typeof MODIFIERS)[number];
const COMPARING = ['contains', 'startswith', 'endswith', 're', 'cidr', 'gt', 'gte', 'lt', 'lte', 'exists'] as const;
type Comparing = (typeof COMPARING)[number];
const TEXTUAL: ReadonlySet<Comparing> = new Set(['contains', 'startswith', 'endswith']);

/** Longer texts are cut before a regular expression sees them: its time is bounded by text × pattern. */
const REGEX_INPUT_MAX = 4096;

/**
 * The test of one item `field|modifiers: value`, or undefined after reporting why it is wrong.
 *
 * An absent field meets nothing but `null`, `exists: false` and `neq`. A list-valued field meets an item if any
 * element does. A list of values means any of them, with `all` each of them. `neq` is the exact opposite.
 */
export function compileValue(
  type: FieldType | 'any',
  modifiers: readonly string[],
  value: Scalar | Scalar[],
  at: { path: (string | number)[]; problems: RuleProblem[] },
): ValueTest | undefined {
  const before = at.problems.length;
  const report = (message: string, place?: 'key') =>
    at.problems.push({ path: at.path, message, ...(place === undefined ? {} : { place }) });
  for (const modifier of modifiers) {
    if (!(MODIFIERS as readonly string[]).includes(modifier)) {
      report(`unknown modifier "${modifier}"${hint(modifier, MODIFIERS)}; allowed: ${MODIFIERS.join(' ')}`, 'key');
    }
  }
  const has = (modifier: Modifier) => modifiers.includes(modifier);
  const comparing = COMPARING.filter(has);
  if (comparing.length > 1) report(`"${comparing[0]}" and "${comparing[1]}" cannot be combined`, 'key');
  const values = Array.isArray(value) ? value : [value];
  if (has('cased') && comparing[0] !== undefined && !TEXTUAL.has(comparing[0])) {
    report(`"cased" compares texts; "${comparing[0]}" has no case`, 'key');
  }
  if (has('all') && values.length < 2) report('"all" needs a list of at least two values', 'key');
  const how = comparing[0];
  const closed = how === undefined ? closedValues(at.path) : undefined;
  if (closed !== undefined) checkClosed(closed, at.path, values, report);
  if (at.problems.length > before) return undefined;

  const casing = has('cased') ? 'cased' : 'folded';
  const together =
    how !== undefined || has('all')
      ? undefined
      : closed && casing === 'folded'
        ? anyOf(values)
        : anyText(values, casing);
  const tests = together !== undefined ? [together] : values.map((one) => compileOne(type, how, one, casing, report));
  if (at.problems.length > before) return undefined;
  const usable = tests as ValueTest[];
  const positive: ValueTest =
    usable.length === 1
      ? usable[0]!
      : has('all')
        ? (found) => usable.every((test) => test(found))
        : (found) => usable.some((test) => test(found));
  return has('neq') ? (found) => !positive(found) : positive;
}

const CLOSED: Readonly<Record<string, readonly string[]>> = { action: ACTIONS, outcome: OUTCOMES };

function closedValues(path: (string | number)[]): readonly string[] | undefined {
  const name = nameOf(path);
  return Object.hasOwn(CLOSED, name) ? CLOSED[name] : undefined;
}

function nameOf(path: (string | number)[]): string {
  return String(path.at(-1)).split('|')[0]!;
}

/** `action` and `outcome` have closed sets of values: a mistyped one would make the rule silent for ever. */
function checkClosed(
  allowed: readonly string[],
  path: (string | number)[],
  values: Scalar[],
  report: (message: string) => void,
): void {
  const name = nameOf(path);
  for (const value of values) {
    if (typeof value === 'string' && (/[*?]/.test(value) || allowed.includes(value.toLowerCase()))) continue;
    const [shown, meant] = typeof value === 'string' ? [`"${value}"`, hint(value, allowed)] : [value, ''];
    report(`${shown} is not an ${name}${meant}; allowed: ${allowed.join(' ')}`);
  }
}

function compileOne(
  type: FieldType | 'any',
  how: Comparing | undefined,
  wanted: Scalar,
  casing: Casing,
  report: (message: string) => void,
): ValueTest | undefined {
  switch (how) {
    case undefined:
      if (wanted === null) return (found) => found === null || isAbsent(found);
      return onAny(equal(wanted, casing));
    case 'exists':
      if (typeof wanted !== 'boolean') return void report('"exists" takes true or false');
      return wanted ? (found) => !isAbsent(found) : isAbsent;
    case 'gt':
    case 'gte':
    case 'lt':
    case 'lte':
      if (typeof wanted !== 'number') return void report(`"${how}" takes a number`);
      if (type === 'text' || type === 'boolean')
        return void report(`"${how}" compares numbers, and this field has none`);
      return onAny(compared(how, wanted));
    case 're':
      return compileSearch(wanted, report);
    case 'cidr':
      return compileCidr(wanted, report);
    case 'contains':
    case 'startswith':
    case 'endswith': {
      if (typeof wanted !== 'string' || wanted === '') return void report(`"${how}" takes a text that is not empty`);
      const test = compileTextPart(wanted, how, casing);
      return onAny((found) => typeof found === 'string' && test(found));
    }
    default:
      return how satisfies never;
  }
}

/** A list without elements has nothing that could be met. */
function isAbsent(found: FieldValue): boolean {
  return found === undefined || (Array.isArray(found) && found.length === 0);
}

function onAny(test: ScalarTest): ValueTest {
  return (found) => {
    if (found === undefined || found === null) return false;
    return typeof found === 'object' ? found.some(test) : test(found);
  };
}

/** Events have closed values in one form, so nothing is folded; undefined where one of the wanted has a wildcard. */
function anyOf(values: readonly Scalar[]): ValueTest | undefined {
  const wanted = new Set<FieldValue>();
  for (const value of values) {
    if (typeof value !== 'string' || /[*?\\]/.test(value)) return undefined;
    wanted.add(value.toLowerCase());
  }
  return (found) => wanted.has(found);
}

/** A list of texts as one test; undefined where one of the values compares in another way. */
function anyText(values: readonly Scalar[], casing: Casing): ValueTest | undefined {
  const texts = values.filter((value) => typeof value === 'string' && !isNumeric(value)) as string[];
  if (texts.length < 2 || texts.length < values.length) return undefined;
  const test = compileTexts(texts, casing);
  return onAny((found) => typeof found !== 'number' && test(String(found)));
}

/** Numbers compare as numbers, also when one side is a numeric text. */
function equal(wanted: string | number | boolean, casing: Casing): ScalarTest {
  if (typeof wanted === 'boolean') return (found) => found === wanted || found === String(wanted);
  if (typeof wanted === 'number') return (found) => found === wanted || (isNumeric(found) && Number(found) === wanted);
  const test = compileText(wanted, casing);
  const numeric = isNumeric(wanted) ? Number(wanted) : undefined;
  return (found) => (typeof found === 'number' ? found === numeric : test(String(found)));
}

function isNumeric(value: string | number | boolean): value is string {
  return typeof value === 'string' && /^-?\d+(?:\.\d+)?$/.test(value);
}

function compared(how: 'gt' | 'gte' | 'lt' | 'lte', wanted: number): ScalarTest {
  const holds: Record<typeof how, (found: number) => boolean> = {
    gt: (found) => found > wanted,
    gte: (found) => found >= wanted,
    lt: (found) => found < wanted,
    lte: (found) => found <= wanted,
  };
  const test = holds[how];
  return (found) => (typeof found === 'number' ? test(found) : isNumeric(found) && test(Number(found)));
}

/** Unanchored and with case, as in Sigma; `(?i)` ignores case. */
function compileSearch(wanted: Scalar, report: (message: string) => void): ValueTest | undefined {
  if (typeof wanted !== 'string') return void report('"re" takes a text');
  const compiled = compileRegex(wanted);
  if ('refused' in compiled) return void report(compiled.refused);
  const { regex } = compiled;
  return onAny((found) => typeof found === 'string' && regex.matcher(found.slice(0, REGEX_INPUT_MAX)).find());
}

function compileCidr(wanted: Scalar, report: (message: string) => void): ValueTest | undefined {
  const [address = '', bits] = String(wanted).split('/');
  const family = isIP(address);
  const prefix = Number(bits);
  if (family === 0 || bits === undefined || !/^\d+$/.test(bits) || prefix > (family === 4 ? 32 : 128)) {
    return void report('"cidr" takes a network such as 10.0.0.0/8 or fd00::/8');
  }
  const network = new BlockList();
  network.addSubnet(address, prefix, family === 4 ? 'ipv4' : 'ipv6');
  return onAny((found) => {
    const version = typeof found === 'string' ? isIP(found) : 0;
    return version !== 0 && network.check(found as string, version === 4 ? 'ipv4' : 'ipv6');
  });
}
