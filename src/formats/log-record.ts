import type { Decision } from '../domain/decision.ts';
import { ACTION_BYTES_MAX, ActionEvent, isPlaceholderSession } from '../domain/event.ts';
import { isActionEvent } from '../domain/event-check.ts';
import { explainLine, plainText } from '../domain/explain.ts';
import { controlPartition, partitionOf } from '../domain/partitioner.ts';
import {
  type Acknowledgement,
  CONTROL_RECORDS,
  type LogRecord,
  type PolicyActivated,
  type Published,
  type RawRecord,
  type RecordBody,
  type Refusal,
  type Restated,
  sessionNamedBy,
  TYPE_PREFIX,
} from '../domain/record.ts';
import {
  actionSignatureFault,
  type Claim,
  controlSignatureFault,
  KEY_HEADER,
  type Keyring,
  type Role,
  SIGNATURE_HEADER,
} from './signature.ts';

/** Largest control record, in bytes: the largest message that the topic takes. */
export const CONTROL_BYTES_MAX = 512 * 1024;

/** Where a record was read, to see whether its key belongs there. */
export interface Home {
  partition: number;
  partitions: number;
}

type ControlType = keyof typeof CONTROL_RECORDS;
export const ACTION_TYPE = `${TYPE_PREFIX}action.v1`;
const REASON_MAX = 500;

/** Who may say what. The owner may say everything, so that a development key is enough. */
const SIGNERS: Record<ControlType, readonly Role[]> = {
  'decision.v1': ['decider', 'owner'],
  'command.acknowledged.v1': ['enforcer', 'owner'],
  'policy.activated.v1': ['policy', 'owner'],
  'command.published.v1': ['owner'],
  'tick.v1': ['owner'],
  'state.restated.v1': ['owner'],
};

/** Sources whose actions count only with a signature. A signature of any other is not looked at. */
export type MustSign = ReadonlySet<string>;

/** In place of a source: every action, also one without a source. */
export const EVERY_SOURCE = '*';
const NOBODY: MustSign = new Set();

/**
 * Reads one record of `firebreak.actions`: CloudEvents in binary mode (header `ce_type`) or structured mode, or a bare
 * action. Never throws: what cannot be used is refused with the reason. Without a keyring no signature is looked at,
 * without a home no partition; both are for files.
 */
export function decodeRecord(
  raw: RawRecord,
  keyring: Keyring | undefined,
  home?: Home,
  mustSign: MustSign = NOBODY,
): LogRecord {
  return { offset: raw.offset, appendMs: raw.appendMs, body: decodeBody(raw, keyring, home, mustSign) };
}

function decodeBody(
  raw: RawRecord,
  keyring: Keyring | undefined,
  home: Home | undefined,
  mustSign: MustSign,
): RecordBody {
  const { value } = raw;
  if (value === null) return refused(raw, 'not_json', 'no value');
  const type = headerText(raw, 'ce_type');
  if (type === undefined || type === ACTION_TYPE) {
    // In structured mode the type is inside, so such a control record has the size of an action at most.
    if (value.length > ACTION_BYTES_MAX) return tooLarge(raw, value, ACTION_BYTES_MAX);
    const json = parse(value);
    if (json === undefined) return refused(raw, 'not_json', 'value is not JSON');
    if (type === undefined && isStructured(json)) {
      return json.type === ACTION_TYPE
        ? decodeAction(raw, json.data, home, keyring, mustSign)
        : decodeControl(raw, value, json.type, json.data, keyring, home);
    }
    return decodeAction(raw, json, home, keyring, mustSign);
  }
  if (value.length > CONTROL_BYTES_MAX) return tooLarge(raw, value, CONTROL_BYTES_MAX);
  const json = parse(value);
  if (json === undefined) return refused(raw, 'not_json', 'value is not JSON');
  return decodeControl(raw, value, type, json, keyring, home);
}

function decodeAction(
  raw: RawRecord,
  json: unknown,
  home: Home | undefined,
  keyring: Keyring | undefined,
  mustSign: MustSign,
): RecordBody {
  if (!isActionEvent(json)) return refused(raw, 'invalid_event', reasonOf(ActionEvent, json));
  if (isPlaceholderSession(json.session)) {
    return refused(raw, 'placeholder_session', `session: found ${JSON.stringify(json.session)}, allowed: a real id`);
  }
  if (raw.key === null || !isKey(raw.key, json.session)) {
    return refused(raw, 'key_mismatch', `key: found ${keyText(raw)}, allowed: the session ${json.session}`);
  }
  if (home !== undefined && partitionOf(raw.key, home.partitions) !== home.partition) {
    return refused(raw, 'misrouted', misroutedReason(home, partitionOf(raw.key, home.partitions)));
  }
  const { source } = json;
  if (keyring !== undefined && mustSign.size > 0 && (mustSign.has(EVERY_SOURCE) || mustSign.has(source ?? ''))) {
    const content = { type: ACTION_TYPE, key: raw.key, value: raw.value! };
    const fault = actionSignatureFault(content, claimOf(raw), source, keyring);
    if (fault !== undefined) return refused(raw, 'invalid_signature', fault);
  }
  return { type: 'action', event: json };
}

/** Who says to have signed the record. */
export function claimOf(raw: RawRecord): Claim {
  return { kid: headerText(raw, KEY_HEADER), signature: headerText(raw, SIGNATURE_HEADER), appendMs: raw.appendMs };
}

function decodeControl(
  raw: RawRecord,
  value: Uint8Array,
  type: string,
  json: unknown,
  keyring: Keyring | undefined,
  home: Home | undefined,
): RecordBody {
  const name = type.startsWith(TYPE_PREFIX) ? type.slice(TYPE_PREFIX.length) : undefined;
  if (name === undefined || !isControlType(name)) {
    const allowed = ['action.v1', ...Object.keys(CONTROL_RECORDS)].map((known) => TYPE_PREFIX + known);
    return refused(raw, 'unknown_type', `type: found ${plainText(type, 80)}, allowed: ${allowed.join(', ')}`);
  }
  const body = readControl(name, json);
  if (body === undefined) return refused(raw, 'invalid_control', reasonOf(CONTROL_RECORDS[name], json));
  const { key } = raw;
  const session = sessionNamedBy(body);
  const ofSession = key !== null && session !== undefined && isKey(key, session);
  const partition = key === null ? undefined : controlPartition(utf8(key));
  if (key === null || (!ofSession && partition === undefined)) {
    const allowed = session === undefined ? 'fb:PARTITION' : `fb:PARTITION or the session ${session}`;
    return refused(raw, 'key_mismatch', `key: found ${keyText(raw)}, allowed: ${allowed}`);
  }
  if (home !== undefined) {
    const belongs = ofSession ? partitionOf(key, home.partitions) : partition;
    // Also the session of a record that is keyed by partition must live here: nobody else may touch it.
    const lives = session === undefined ? home.partition : partitionOf(session, home.partitions);
    if (belongs !== home.partition) return refused(raw, 'misrouted', misroutedReason(home, belongs));
    if (lives !== home.partition) return refused(raw, 'misrouted', misroutedReason(home, lives));
  }
  if (keyring === undefined) return body;
  const fault = controlSignatureFault({ type, key, value }, claimOf(raw), SIGNERS[name], keyring);
  return fault === undefined ? body : refused(raw, 'invalid_control', fault);
}

function isControlType(name: string): name is ControlType {
  return Object.hasOwn(CONTROL_RECORDS, name);
}

function readControl(name: ControlType, json: unknown): RecordBody | undefined {
  const parsed = CONTROL_RECORDS[name].safeParse(json);
  if (!parsed.success) return undefined;
  switch (name) {
    case 'decision.v1':
      return { type: 'decision', decision: parsed.data as Decision };
    case 'command.acknowledged.v1':
      return { type: 'acknowledgement', acknowledgement: parsed.data as Acknowledgement };
    case 'policy.activated.v1':
      return { type: 'policy', policy: parsed.data as PolicyActivated };
    case 'command.published.v1':
      return { type: 'published', published: parsed.data as Published };
    case 'tick.v1':
      return { type: 'tick' };
    case 'state.restated.v1':
      return { type: 'restated', restated: parsed.data as Restated };
  }
}

function refused(raw: RawRecord, refusal: Refusal, reason: string): RecordBody {
  return { type: 'refused', refusal, reason: plainText(reason, REASON_MAX), raw };
}

function tooLarge(raw: RawRecord, value: Uint8Array, bytesMax: number): RecordBody {
  return refused(raw, 'too_large', `value: found ${value.length} bytes, allowed: at most ${bytesMax}`);
}

function reasonOf(schema: typeof ActionEvent | (typeof CONTROL_RECORDS)[ControlType], json: unknown): string {
  const parsed = schema.safeParse(json);
  return parsed.success ? 'value does not fit the schema' : explainLine(parsed.error, json);
}

function misroutedReason(home: Home, belongs: number | undefined): string {
  return `partition: found ${home.partition} of ${home.partitions}, allowed: ${belongs} (murmur2 of the key)`;
}

function parse(value: Uint8Array): unknown {
  try {
    return JSON.parse(utf8(value));
  } catch {
    return undefined; // and therefore refused as not_json; JSON itself has no undefined
  }
}

function isStructured(json: unknown): json is { type: string; data: unknown } {
  if (typeof json !== 'object' || json === null) return false;
  const { specversion, type } = json as Record<string, unknown>;
  return typeof specversion === 'string' && typeof type === 'string';
}

/**
 * Whether the key is the UTF-8 of the session. Bytes that are no UTF-8 are read as U+FFFD, so a session with that
 * character is compared byte by byte: otherwise one session could be written to two partitions.
 */
function isKey(key: Uint8Array, session: string): boolean {
  if (key.length === session.length) {
    // Equal lengths in bytes and units: all ASCII, or different.
    for (let i = 0; i < key.length; i++) {
      const byte = key[i]!;
      if (byte >= 128) return isSameText(key, session);
      if (byte !== session.charCodeAt(i)) return false;
    }
    return true;
  }
  return isSameText(key, session);
}

function isSameText(key: Uint8Array, session: string): boolean {
  return utf8(key) === session && (!session.includes('\ufffd') || Buffer.compare(key, Buffer.from(session)) === 0);
}

function keyText({ key }: RawRecord): string {
  return key === null ? 'no key' : plainText(utf8(key), 80);
}

/** The last value of a header: the one that Kafka's own `lastHeader` returns. */
export function headerText({ headers }: Pick<RawRecord, 'headers'>, name: string): string | undefined {
  const found = headers[name];
  const last = Array.isArray(found) ? found.at(-1) : found;
  return last === undefined || typeof last === 'string' ? last : utf8(last);
}

function utf8(bytes: Uint8Array): string {
  const view = Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return view.toString('utf8');
}
