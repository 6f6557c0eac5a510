import { parseDuration } from '../domain/duration.ts';
import { ActionEvent } from '../domain/event.ts';
import { FIELD_NAMES } from '../domain/fields.ts';
import { formatInstant, parseInstant } from '../domain/instant.ts';
import type { EventGenerator, EventSource, RecordedEvents, RuleTest } from '../domain/rule-test.ts';
import { type SchemaProblem, schemaProblems } from './schema-problems.ts';

/** When every test begins: a Monday morning, so that a time of day in a message looks like work. */
export const TEST_START = '2026-01-05T09:00:00.000Z';
export const TEST_SESSION = 'test-session';
const EVENTS_MAX = 20_000;
const ATTRIBUTE = 'attributes.';

/** The events of recorded sources, by the source as it stands in the test. */
export type RecordedSources = ReadonlyMap<RecordedEvents, readonly ActionEvent[]>;

export function sourcesOf({ events }: RuleTest): { source: EventSource; path: PropertyKey[] }[] {
  if (!Array.isArray(events)) return [{ source: events, path: ['events'] }];
  return events.map((source, index) => ({ source, path: ['events', index] }));
}

/**
 * The events of one test in order of time, and until when (ms since 1970) nothing comes after them; or what is wrong with
 * their templates (paths from the test). Until the recordings that it names are given, nobody knows how many events there
 * are, and none are answered.
 */
export function eventsOf(
  test: RuleTest,
  recorded: RecordedSources = new Map(),
): { events: ActionEvent[]; endMs: number; problems: SchemaProblem[] } {
  const sources = sourcesOf(test);
  const problems: SchemaProblem[] = [];
  let total = 0;
  for (const { source, path } of sources) {
    if ('file' in source) total += recorded.get(source)?.length ?? Number.NaN;
    else if ('event' in source) {
      total += source.repeat;
      const found = templateProblems(source.event);
      problems.push(...found.map((problem) => ({ ...problem, path: [...path, 'event', ...problem.path] })));
    }
  }
  if (total > EVENTS_MAX) {
    problems.push({ path: ['events'], message: `the test has ${total} events; at most ${EVENTS_MAX} are allowed` });
  }
  if (total === 0) problems.push({ path: ['events'], message: 'the test has no event; at least 1 is needed' });
  for (const [index, { at, after, level }] of test.expect.entries()) {
    const number = at ?? after;
    if (number === undefined || !(number > total)) continue;
    const expected = at === undefined ? `what does not come after event ${number}` : `event ${number}`;
    const message = `${expected} is expected to reach ${level}, and the test has ${total} events`;
    problems.push({ path: ['expect', index, at === undefined ? 'after' : 'at'], message });
  }
  if (problems.length > 0 || Number.isNaN(total)) return { events: [], endMs: 0, problems };
  return { ...expand(sources, recorded), problems };
}

interface Timed {
  atMs: number;
  write(number: number, timeMs: number): ActionEvent;
}

function expand(
  sources: ReturnType<typeof sourcesOf>,
  recorded: RecordedSources,
): { events: ActionEvent[]; endMs: number } {
  const timed: Timed[] = [];
  let lastMs: number | undefined;
  let silentMs = 0;
  for (const { source } of sources) {
    const gapMs = 'event' in source ? parseDuration(source.every) : 'file' in source ? RECORDED_GAP_MS : 0;
    const { at, after } = source;
    const afterMs = after === undefined ? gapMs : parseDuration(after);
    const firstMs = at !== undefined ? parseDuration(at) : (lastMs ?? -gapMs) + afterMs;
    const own = eventsFrom(source, recorded, firstMs);
    timed.push(...own);
    lastMs = own.at(-1)?.atMs ?? firstMs;
    silentMs = Math.max(silentMs, lastMs);
  }
  // Stable: events of one moment keep the order in which they are written.
  timed.sort((a, b) => a.atMs - b.atMs);
  const startMs = parseInstant(TEST_START);
  const events = timed.map(({ atMs, write }, index) => write(index + 1, startMs + atMs));
  return { events, endMs: startMs + silentMs };
}

function eventsFrom(source: EventSource, recorded: RecordedSources, firstMs: number): Timed[] {
  if ('file' in source) return replayed(recorded.get(source)!, firstMs);
  return 'event' in source ? repeated(source, firstMs) : [];
}

/** From one source to a recorded one after it, unless the test says otherwise. */
const RECORDED_GAP_MS = 1000;

function repeated({ repeat, every, event }: EventGenerator, firstMs: number): Timed[] {
  const everyMs = parseDuration(every);
  return Array.from({ length: repeat }, (_, index) => ({
    atMs: firstMs + index * everyMs,
    write: (number: number, timeMs: number) => eventOf(event, index + 1, number, timeMs),
  }));
}

function replayed(events: readonly ActionEvent[], firstMs: number): Timed[] {
  const sorted = events.map((event) => ({ event, timeMs: parseInstant(event.time) }));
  sorted.sort((a, b) => a.timeMs - b.timeMs);
  const startMs = sorted[0]!.timeMs;
  return sorted.map(({ event, timeMs: recordedMs }) => ({
    atMs: firstMs + recordedMs - startMs,
    write: (_: number, timeMs: number) => ({ ...event, time: formatInstant(timeMs), session: TEST_SESSION }),
  }));
}

function eventOf(template: EventGenerator['event'], i: number, number: number, timeMs: number): ActionEvent {
  const fields = nested(template, (text) => text.replaceAll('{i}', String(i)));
  const action = typeof fields.action === 'string' ? fields.action : 'other';
  return {
    id: `event-${number}`,
    time: formatInstant(timeMs),
    session: TEST_SESSION,
    agent: { id: 'test-agent' },
    tool: action,
    action,
    ...fields,
  } as ActionEvent;
}

/** `resource.id: x` and `resource: { id: x }` are the same; an attribute's name may have dots of its own. */
function nested(template: object, write: (text: string) => string): Record<string, unknown> {
  const fields: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(template)) {
    const written = rewritten(value, write);
    const at = key.indexOf('.');
    if (at < 0) fields[key] = isMap(written) ? { ...asMap(fields[key]), ...written } : written;
    else fields[key.slice(0, at)] = { ...asMap(fields[key.slice(0, at)]), [key.slice(at + 1)]: written };
  }
  return fields;
}

function rewritten(value: unknown, write: (text: string) => string): unknown {
  if (typeof value === 'string') return write(value);
  if (Array.isArray(value)) return value.map((one) => rewritten(one, write));
  if (isMap(value)) return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, rewritten(one, write)]));
  return value;
}

function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function asMap(value: unknown): Record<string, unknown> {
  return isMap(value) ? value : {};
}

/** What the engine fills in, and the time, which the generator sets. */
const WRITABLE: readonly string[] = [
  ...FIELD_NAMES.filter((name) => name !== 'target' && name !== 'session'),
  'targets',
  'seq',
];
/** In an event of the wire an unknown field is ignored; here it is a typing mistake. */
function templateProblems(template: EventGenerator['event']): SchemaProblem[] {
  const unknown = leafPaths(template).filter(({ name }) => !name.startsWith(ATTRIBUTE) && !WRITABLE.includes(name));
  if (unknown.length > 0) {
    return unknown.map(({ name, path }) => ({
      path,
      place: 'key',
      message: `an event of a test has no field "${name}"`,
      unknown: { name, allowed: WRITABLE },
    }));
  }
  const event = eventOf(template, 1, 1, parseInstant(TEST_START));
  const parsed = ActionEvent.safeParse(event);
  if (parsed.success) return [];
  return schemaProblems(parsed.error, ActionEvent, event).map((problem) => ({
    ...problem,
    path: templatePath(template, problem.path),
  }));
}

function leafPaths(template: object): { name: string; path: string[] }[] {
  return Object.entries(template).flatMap(([key, value]) =>
    isMap(value) && key !== 'attributes'
      ? leafPaths(value).map(({ name, path }) => ({ name: `${key}.${name}`, path: [key, ...path] }))
      : [{ name: key === 'attributes' ? `${ATTRIBUTE}NAME` : key, path: [key] }],
  );
}

/** The key that the author wrote: dotted, if that is how it stands there. */
function templatePath(template: object, path: readonly PropertyKey[]): PropertyKey[] {
  for (let length = path.length; length > 1; length--) {
    const dotted = path.slice(0, length).map(String).join('.');
    if (Object.hasOwn(template, dotted)) return [dotted, ...path.slice(length)];
  }
  return [...path];
}
