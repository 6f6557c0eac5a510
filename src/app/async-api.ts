import { CONTROL_RECORDS, TYPE_PREFIX } from '../domain/record.ts';

/** Version of the contract: it changes with the topics and their messages. */
const CONTRACT_VERSION = '1.0.0';

interface Said {
  /** Name of the message, and of its schema file where that has another. */
  name: string;
  schema?: string;
  type: string;
  summary: string;
  headers?: readonly (keyof typeof HEADERS)[];
}

interface Channel {
  description: string;
  key: string;
  /** From where Firebreak stands. */
  action: 'send' | 'receive';
  messages: readonly Said[];
}

const SIGNED = ['fb-key', 'fb-signature'] as const;

const HEADERS = {
  'fb-key': 'Id of the key that signed.',
  'fb-signature': 'Ed25519 over type, key and value, base64url.',
  attempt: 'How often this process has published the command.',
  expires: 'RFC 3339. Of a pause or resume: not to be obeyed after it. A kill has none.',
} as const;

function controlMessages(...types: (keyof typeof CONTROL_RECORDS)[]): Said[] {
  return types.map((type) => {
    const schema = `record-${type.replace(/\.v1$/, '').replaceAll('.', '-')}`;
    return {
      name: type.replace(/\.v1$/, '').replaceAll('.', '-'),
      schema,
      type,
      summary: CONTROL_SUMMARY[type],
      headers: SIGNED,
    };
  });
}

const CONTROL_SUMMARY: Record<keyof typeof CONTROL_RECORDS, string> = {
  'decision.v1': 'What a person decides; signed by a decider.',
  'command.acknowledged.v1': 'What an enforcer says of a command; signed by an enforcer.',
  'policy.activated.v1': 'From here on a policy holds in this partition.',
  'command.published.v1': 'A command is out; the time for an answer begins.',
  'tick.v1': 'Time has passed.',
  'state.restated.v1': 'What holds for the whole partition, said again before retention removes it.',
};

/** Every topic that others read or write. `firebreak.` is the prefix unless the configuration has another. */
const CHANNELS: Readonly<Record<string, Channel>> = {
  actions: {
    description:
      'The log: what agents do, and everything else that can change a decision. Partitioned by murmur2 of the key.',
    key: 'The session; of records about a whole partition `fb:PARTITION`.',
    action: 'receive',
    messages: [
      { name: 'action-event', type: 'action.v1', summary: 'One step of an agent. A bare JSON object is one too.' },
      ...controlMessages(...(Object.keys(CONTROL_RECORDS) as (keyof typeof CONTROL_RECORDS)[])),
    ],
  },
  acks: {
    description: 'All that enforcers may write. The relay copies it into the log.',
    key: 'The session.',
    action: 'receive',
    messages: controlMessages('command.acknowledged.v1'),
  },
  decisions: {
    description: 'All that review tools may write. The relay copies it into the log.',
    key: 'The session; of an order `fb:PARTITION`.',
    action: 'receive',
    messages: controlMessages('decision.v1'),
  },
  commands: {
    description: 'What enforcers shall do. A repeated command has the same id.',
    key: 'The session, or the scope of an order.',
    action: 'send',
    messages: (['pause', 'resume', 'kill'] as const).map((action) => ({
      name: action,
      schema: 'command',
      type: `session.${action}.requested.v1`,
      summary: `${action} a session, or all of a scope. The signature is a field of it.`,
      headers: action === 'kill' ? ['fb-key', 'attempt'] : ['fb-key', 'attempt', 'expires'],
    })),
  },
  verdicts: {
    description: 'Compacted: the latest level of each session.',
    key: 'The session; a kill also under `SESSION#killed`.',
    action: 'send',
    messages: [{ name: 'verdict', type: 'verdict.v1', summary: 'How a session stands.', headers: SIGNED }],
  },
  leases: {
    description: 'Compacted: how far each partition is judged. One that is old means that nobody judges.',
    key: 'The partition.',
    action: 'send',
    messages: [{ name: 'lease', type: 'lease.v1', summary: 'Somebody judges this partition.', headers: SIGNED }],
  },
  findings: {
    description: 'What people and dashboards should know: level changes, requests for a decision, answers, alarms.',
    key: 'The session, or `fb:PARTITION`.',
    action: 'send',
    messages: [{ name: 'finding', type: 'finding.v1', summary: 'Something happened, with its evidence.' }],
  },
  audit: {
    description: 'One hash chain for each partition.',
    key: '`fb:PARTITION`.',
    action: 'send',
    messages: [{ name: 'audit', type: 'audit.v1', summary: 'One entry of the trail.' }],
  },
};

/** The AsyncAPI 3.0 document of the topics. Payloads are the schemas beside it. */
export function asyncApiDocument(): Record<string, unknown> {
  return {
    asyncapi: '3.0.0',
    info: {
      title: 'Firebreak topics',
      version: CONTRACT_VERSION,
      description:
        'CloudEvents 1.0 in Kafka’s binary mode: the attributes are headers `ce_…`, the value is the JSON below.',
      license: { name: 'Apache-2.0' },
    },
    defaultContentType: 'application/json',
    channels: mapped(CHANNELS, (name, { description, messages }) => ({
      address: `firebreak.${name}`,
      description,
      messages: Object.fromEntries(messages.map((said) => [said.name, { $ref: `#/components/messages/${said.name}` }])),
    })),
    operations: mapped(CHANNELS, (name, { action, messages }) => ({
      action,
      channel: { $ref: `#/channels/${name}` },
      messages: messages.map((said) => ({ $ref: `#/channels/${name}/messages/${said.name}` })),
    })),
    components: {
      messages: Object.fromEntries(
        Object.values(CHANNELS).flatMap(({ messages, key }) =>
          messages.map((said) => [said.name, messageOf(said, key)]),
        ),
      ),
    },
  };
}

function messageOf({ name, schema = name, type, summary, headers = [] }: Said, key: string): Record<string, unknown> {
  const named = Object.fromEntries(headers.map((header) => [header, { type: 'string', description: HEADERS[header] }]));
  return {
    name: `${TYPE_PREFIX}${type}`,
    summary,
    headers: {
      type: 'object',
      required: ['ce_type'],
      properties: {
        ce_specversion: { type: 'string', const: '1.0' },
        ce_id: { type: 'string' },
        ce_type: { type: 'string', const: `${TYPE_PREFIX}${type}` },
        ce_source: { type: 'string' },
        ce_subject: { type: 'string' },
        ce_time: { type: 'string', format: 'date-time' },
        ...named,
      },
    },
    payload: { schemaFormat: 'application/schema+json;version=draft-07', schema: { $ref: `./${schema}.json` } },
    bindings: { kafka: { key: { type: 'string', description: key }, bindingVersion: '0.5.0' } },
  };
}

function mapped<From, To>(
  record: Readonly<Record<string, From>>,
  to: (name: string, from: From) => To,
): Record<string, To> {
  return Object.fromEntries(Object.entries(record).map(([name, from]) => [name, to(name, from)]));
}
