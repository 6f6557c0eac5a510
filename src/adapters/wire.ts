import type { Command } from '../domain/command.ts';
import { formatInstant } from '../domain/instant.ts';
import type { Output, OwnerRecord } from '../domain/output.ts';
import { type RawRecord, type Refusal, TYPE_PREFIX } from '../domain/record.ts';
import { KEY_HEADER, type SigningKey, signCommand, signRecord } from '../formats/signature.ts';

/** One message as Kafka carries it. Without a partition, murmur2 of the key chooses it. */
export interface WireMessage {
  topic: string;
  partition?: number;
  key: Uint8Array | null;
  value: Uint8Array | null;
  headers: RawRecord['headers'];
}

export interface WireOptions {
  /** First part of every topic name, such as `firebreak.`. */
  topicPrefix: string;
  /** `ce_source`: which Firebreak speaks, such as `/firebreak/production`. */
  source: string;
  /** How long after its publication a pause or resume may still be obeyed. A kill never expires. */
  expireAfterMs: number;
  /** Wall clock at the publication: only headers tell it, no compared bytes. */
  nowMs: number;
  /** How often this process has published the output, this time included. */
  attempt: number;
  signingKey?: SigningKey;
}

/** Largest quarantined value. The topic takes 64 KiB more, for key and headers. */
export const QUARANTINED_VALUE_MAX = 1024 * 1024;
const MESSAGE_MAX = 2048;

/** Which step refused, as Kafka Connect names its stages. */
const STAGES: Record<Refusal, string> = {
  too_large: 'CONSUME',
  not_json: 'VALUE_CONVERTER',
  invalid_event: 'TRANSFORMATION',
  invalid_control: 'TRANSFORMATION',
  unknown_type: 'HEADER_CONVERTER',
  placeholder_session: 'TRANSFORMATION',
  key_mismatch: 'KEY_CONVERTER',
  misrouted: 'KEY_CONVERTER',
  invalid_signature: 'TRANSFORMATION',
};

const COMMAND_TYPES: Record<Command['action'], string> = {
  pause: `${TYPE_PREFIX}session.pause.requested.v1`,
  resume: `${TYPE_PREFIX}session.resume.requested.v1`,
  kill: `${TYPE_PREFIX}session.kill.requested.v1`,
};

/** The messages of one output: CloudEvents in binary mode, but for the quarantine, which keeps what it got. */
export function toWire(output: Output, options: WireOptions): WireMessage[] {
  const topic = `${options.topicPrefix}${output.topic}`;
  switch (output.topic) {
    case 'commands':
      return [{ topic, ...commandMessage(output.key, output.command, options) }];
    case 'findings': {
      const { id, session, time } = output.finding;
      const attributes = { id, type: `${TYPE_PREFIX}finding.v1`, subject: session, time };
      return [{ topic, ...event(output.key, output.finding, attributes, options) }];
    }
    case 'verdicts': {
      const { command, session, level, time } = output.verdict;
      const attributes = { id: `${command}/${level}`, type: `${TYPE_PREFIX}verdict.v1`, subject: session, time };
      // No later level overwrites the kill, whatever a compaction leaves of the session's own key.
      const keys = level === 'killed' ? [output.key, `${output.key}#killed`] : [output.key];
      return keys.map((key) => ({ topic, ...signedEvent(key, output.verdict, attributes, options) }));
    }
    case 'audit': {
      const { position, chain, index, session, time } = output.entry;
      const id = `${position.topicId}/${position.partition}/${chain}/${index}`;
      return [
        {
          topic,
          ...event(output.key, output.entry, { id, type: `${TYPE_PREFIX}audit.v1`, subject: session, time }, options),
        },
      ];
    }
    case 'leases': {
      const { position, processedThrough } = output.lease;
      const id = `${position.topicId}/${position.partition}/${position.offset}`;
      const attributes = { id, type: `${TYPE_PREFIX}lease.v1`, subject: undefined, time: processedThrough };
      return [{ topic, ...signedEvent(output.key, output.lease, attributes, options) }];
    }
    case 'acks': {
      const { id, session } = output.acknowledgement;
      const type = `${TYPE_PREFIX}command.acknowledged.v1`;
      const attributes = { id, type, subject: session, time: formatInstant(options.nowMs) };
      return [{ topic, ...signedEvent(output.key, output.acknowledgement, attributes, options) }];
    }
    case 'quarantine':
      return [{ topic, ...quarantined(output, options) }];
    case 'actions':
      return [{ topic, partition: output.partition, ...ownerMessage(output.key, output, options) }];
  }
}

type Body = Omit<WireMessage, 'topic' | 'partition'>;

interface Attributes {
  id: string;
  type: string;
  subject: string | undefined;
  time: string;
}

function event(key: string, data: unknown, { id, type, subject, time }: Attributes, { source }: WireOptions): Body {
  const headers: Body['headers'] = {
    'content-type': 'application/json',
    ce_specversion: '1.0',
    ce_id: id,
    ce_type: type,
    ce_source: source,
    ce_time: time,
  };
  if (subject !== undefined) headers['ce_subject'] = subject;
  return { key: Buffer.from(key), value: Buffer.from(JSON.stringify(data)), headers };
}

/** Signed as control records are: type, key and value. Without a key it goes out unsigned, for files and tests. */
function signedEvent(key: string, data: unknown, attributes: Attributes, options: WireOptions): Body {
  const body = event(key, data, attributes, options);
  const { signingKey } = options;
  if (signingKey === undefined) return body;
  const content = { type: attributes.type, key: body.key!, value: body.value! };
  return { ...body, headers: { ...body.headers, ...signRecord(content, signingKey) } };
}

function commandMessage(key: string, command: Command, options: WireOptions): Body {
  const { signingKey, nowMs, expireAfterMs, attempt } = options;
  const signed = signingKey === undefined ? command : signCommand(command, signingKey);
  const { id, action, session, scope, time } = command;
  const body = event(key, signed, { id, type: COMMAND_TYPES[action], subject: session ?? scope, time }, options);
  body.headers['attempt'] = String(attempt);
  if (action !== 'kill') body.headers['expires'] = formatInstant(nowMs + expireAfterMs);
  if (signingKey !== undefined) body.headers[KEY_HEADER] = signingKey.kid;
  return body;
}

function ownerMessage(
  key: string,
  { partition, record }: { partition: number; record: OwnerRecord },
  options: WireOptions,
): Body {
  const type = TYPE_PREFIX + record.type;
  const attributes = { id: ownerRecordId(record, partition, options.nowMs), type, time: formatInstant(options.nowMs) };
  return signedEvent(key, record.body, { ...attributes, subject: subjectOf(record) }, options);
}

/** Control records change nothing when repeated, so their ids only have to tell them apart. */
function ownerRecordId(record: OwnerRecord, partition: number, nowMs: number): string {
  switch (record.type) {
    case 'policy.activated.v1':
      return `policy/${partition}/${record.body.hash}`;
    case 'tick.v1':
      return `tick/${partition}/${nowMs}`;
    case 'command.published.v1':
      return `published/${record.body.command}`;
    case 'state.restated.v1':
      return `restated/${partition}/${record.body.clockMs}`;
    case 'decision.v1':
    case 'command.acknowledged.v1':
      return record.body.id;
  }
}

function subjectOf(record: OwnerRecord): string | undefined {
  switch (record.type) {
    case 'command.published.v1':
      return record.body.session ?? record.body.scope;
    case 'decision.v1':
    case 'command.acknowledged.v1':
      return record.body.session;
    default:
      return undefined;
  }
}

function quarantined(output: Extract<Output, { topic: 'quarantine' }>, { topicPrefix }: WireOptions): Body {
  const { key, raw, refusal, reason, position } = output;
  const headers: Body['headers'] = {
    ...raw.headers,
    '__connect.errors.topic': `${topicPrefix}${output.from ?? 'actions'}`,
    '__connect.errors.partition': String(position.partition),
    '__connect.errors.offset': position.offset,
    '__connect.errors.stage': STAGES[refusal],
    '__connect.errors.class.name': refusal,
    '__connect.errors.exception.message': reason.slice(0, MESSAGE_MAX),
  };
  const { value } = raw;
  if (value === null || value.length <= QUARANTINED_VALUE_MAX) return { key, value, headers };
  headers['firebreak.dlq.cut'] = `value cut from ${value.length} to ${QUARANTINED_VALUE_MAX} bytes`;
  return { key, value: value.subarray(0, QUARANTINED_VALUE_MAX), headers };
}
