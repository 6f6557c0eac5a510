import { crc32 } from 'node:zlib';
import { LEVELS, type Level, levelRank } from '../../domain/level.ts';
import { SessionIntents } from '../evidence/session-intents.ts';
import { formOf, readFeature } from '../plan/feature-kind.ts';
import { NEVER } from '../standing/pause.ts';
import { Standing } from '../standing/standing.ts';
import { ByteReader, ByteWriter } from './bytes.ts';
import { Dedupe } from './dedupe.ts';
import { FailedCalls } from './failed-calls.ts';
import { Group } from './group.ts';
import { Session } from './session.ts';

/**
 * The packed state of a session. The header has a fixed place, so that timers can be found without reading the rest:
 *
 *   0        1      2      4           12       20       28       32
 *   │version │level │flags │lastOffset │lastMs  │timerMs │crc32   │ body …
 *   │ u8     │ u8   │ u16  │ f64       │ f64    │ f64    │of body │ varints and texts
 *
 * The body names groups and features by 32-bit ids, so it can be read without the policy it was written under: loading
 * never converts. Parts are sorted by id: equal sessions have equal bytes, whatever path led to them.
 */
export const SESSION_HEADER_BYTES = 32;
const VERSION = 7;
const DEGRADED = 1;
const INTENTS = 2;
const STANDING = 4;
/** Something of it is due at a time: the owner of the partition lets the time pass. */
const PENDING = 8;
/** A standing order holds it. */
const ORDERED = 16;
/** In the place of a window's length. */
const LIFETIME = 0;

export interface SessionHeader {
  level: Level;
  lastOffset: number;
  timerMs: number;
  pending: boolean;
  ordered: boolean;
}

export function readSessionHeader(bytes: Uint8Array): SessionHeader {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < SESSION_HEADER_BYTES) throw new RangeError(`a session header has ${SESSION_HEADER_BYTES} bytes`);
  const [version] = bytes;
  if (version !== VERSION) throw new RangeError(`session state of version ${version}; this program reads ${VERSION}`);
  const level = LEVELS[bytes[1]!];
  if (level === undefined) throw new RangeError(`no level has the number ${bytes[1]}`);
  const flags = bytes[3]!;
  return {
    level,
    lastOffset: view.getFloat64(4),
    timerMs: view.getFloat64(20),
    pending: (flags & PENDING) !== 0,
    ordered: (flags & ORDERED) !== 0,
  };
}

/** One for all sessions: it has grown to the largest of them. Empty between two calls. */
const writer = new ByteWriter(16 * 1024);

export function encodeSession(session: Session): Uint8Array {
  const to = writer.restart();
  to.byte(VERSION);
  to.byte(levelRank(session.level));
  to.byte(0);
  to.byte(flagsOf(session));
  to.double(session.lastOffset);
  to.double(session.lastMs);
  to.double(session.timerMs);
  to.uint32(0);
  for (const timeMs of [session.startMs, session.clockMs, session.lifeStartMs, session.watchMs]) to.number(timeMs);
  to.count(session.actions);
  to.count(session.reported);
  to.count(session.grownBytes);
  to.text(session.policy);
  to.text(session.agent);
  to.optionalText(session.role);
  to.optionalText(session.principal);
  to.optionalText(session.tenant);
  to.optionalText(session.purpose);
  to.count(session.principals.length);
  for (const principal of session.principals) to.count(principal);
  session.dedupe.write(to);
  writeSorted(to, session.held, (flags) => to.count(flags));
  writeSorted(to, session.groups, (group) => {
    group.write(to);
    writeSorted(to, group.features, (feature) => {
      to.byte(formOf(feature));
      to.count(Number.isFinite(feature.withinMs) ? feature.withinMs : LIFETIME);
      feature.write(to);
    });
    writeSorted(to, group.failedCalls, (failed) => failed.write(to));
  });
  session.intents?.write(to);
  session.standing?.write(to);
  const bytes = to.finish();
  new DataView(bytes.buffer).setUint32(28, crc32(bytes.subarray(SESSION_HEADER_BYTES)));
  return bytes;
}

/** Throws a RangeError for bytes that are not the packed state of a session: state that cannot be trusted. */
export function decodeSession(id: string, bytes: Uint8Array): Session {
  const { level, lastOffset, timerMs } = readSessionHeader(bytes);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (crc32(bytes.subarray(SESSION_HEADER_BYTES)) !== view.getUint32(28)) {
    throw new RangeError(`the state of session "${id}" does not match its checksum`);
  }
  const session = new Session(id);
  session.level = level;
  session.degraded = (bytes[3]! & DEGRADED) !== 0;
  session.lastOffset = lastOffset;
  session.lastMs = view.getFloat64(12);
  session.timerMs = timerMs;
  const from = new ByteReader(bytes, SESSION_HEADER_BYTES);
  session.startMs = from.number();
  session.clockMs = from.number();
  session.lifeStartMs = from.number();
  session.watchMs = from.number();
  session.actions = from.count();
  session.reported = from.count();
  session.grownBytes = from.count();
  session.policy = from.text();
  session.agent = from.text();
  session.role = from.optionalText();
  session.principal = from.optionalText();
  session.tenant = from.optionalText();
  session.purpose = from.optionalText();
  session.principals = Array.from({ length: from.length() }, () => from.count());
  session.dedupe = Dedupe.read(from);
  session.held = readMap(from, () => from.count());
  session.groups = readMap(from, () => readGroup(from));
  session.noteAwaited();
  if ((bytes[3]! & INTENTS) !== 0) session.intents = SessionIntents.read(from);
  if ((bytes[3]! & STANDING) !== 0) session.standing = Standing.read(from);
  if (from.rest !== 0) throw new RangeError(`${from.rest} bytes too many in the state of session "${id}"`);
  return session;
}

function flagsOf({ degraded, intents, standing, dueMs }: Session): number {
  return (
    (degraded ? DEGRADED : 0) |
    (intents ? INTENTS : 0) |
    (standing ? STANDING : 0) |
    (dueMs === NEVER ? 0 : PENDING) |
    (standing?.order === undefined ? 0 : ORDERED)
  );
}

function readGroup(from: ByteReader): Group {
  const group = new Group();
  group.passed = from.count();
  group.restoreSteps(Group.readSteps(from));
  const features = readMap(from, () => {
    const form = from.byte();
    const withinMs = from.count();
    return readFeature(form, from, withinMs === LIFETIME ? Number.POSITIVE_INFINITY : withinMs);
  });
  for (const [id, feature] of features) group.features.set(id, feature);
  for (const [id, failed] of readMap(from, () => FailedCalls.read(from))) group.failedCalls.set(id, failed);
  return group;
}

function writeSorted<T>(to: ByteWriter, map: ReadonlyMap<number, T>, write: (value: T) => void): void {
  to.count(map.size);
  const ids = [...map.keys()];
  if (!isRising(ids)) ids.sort((a, b) => a - b);
  for (const id of ids) {
    to.uint32(id);
    write(map.get(id)!);
  }
}

function isRising(ids: readonly number[]): boolean {
  for (let i = 1; i < ids.length; i++) if (ids[i]! < ids[i - 1]!) return false;
  return true;
}

function readMap<T>(from: ByteReader, read: () => T): Map<number, T> {
  const map = new Map<number, T>();
  const size = from.length();
  for (let i = 0; i < size; i++) map.set(from.uint32(), read());
  return map;
}
