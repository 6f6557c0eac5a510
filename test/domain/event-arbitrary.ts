import fc from 'fast-check';
import { ACTIONS, OUTCOMES } from '../../src/domain/event.ts';

const name = fc.string({ minLength: 1, maxLength: 20 });
const label = fc.string({ maxLength: 20 });
const quantity = fc.double({ min: 0, noNaN: true, noDefaultInfinity: true });

export const validEvent = fc.record(
  {
    id: name,
    time: fc
      .date({ min: new Date(0), max: new Date('9999-12-31T23:59:59.999Z'), noInvalidDate: true })
      .map((at) => at.toISOString()),
    source: label,
    seq: fc.maxSafeNat(),
    origin: fc.record({ log: name, partition: fc.nat(), offset: fc.maxSafeNat() }),
    session: name,
    sessionSource: label,
    rootSession: label,
    agent: fc.record({ id: name, role: label, name: label, version: label }, { requiredKeys: ['id'] }),
    task: label,
    principal: fc.record({ id: name, type: label }, { requiredKeys: ['id'] }),
    delegation: fc.array(label, { maxLength: 16 }),
    tenant: label,
    tool: label,
    toolServer: label,
    action: fc.constantFrom(...ACTIONS),
    resource: fc.record({ type: label, id: label, sensitivity: label }, { requiredKeys: [] }),
    outcome: fc.constantFrom(...OUTCOMES),
    targets: fc.array(label, { maxLength: 256 }),
    affected: fc.anything({ maxDepth: 1, maxKeys: 3 }),
    usage: fc.record({ tokens: quantity, costUsd: quantity }, { requiredKeys: [] }),
    amount: quantity,
    currency: label,
    bytes: quantity,
    rows: quantity,
    approval: fc.record({ required: fc.boolean(), status: label, approver: label }, { requiredKeys: [] }),
    purpose: label,
    argsDigest: label,
    trace: fc.record({ traceparent: label }, { requiredKeys: [] }),
    prompt: fc.record({ ref: label }, { requiredKeys: [] }),
    attributes: fc.dictionary(
      label,
      fc.oneof(label, fc.double({ noNaN: true, noDefaultInfinity: true }), fc.boolean(), fc.constant(null)),
      { maxKeys: 64 },
    ),
    unknownField: fc.jsonValue({ maxDepth: 2 }),
  },
  { requiredKeys: ['id', 'time', 'session', 'agent', 'tool', 'action'] },
);

const PATHS = [
  'id time source seq session sessionSource rootSession agent task principal delegation tenant tool toolServer action',
  'resource outcome targets affected usage amount currency bytes rows approval purpose argsDigest trace prompt attributes',
  'origin origin.log origin.partition origin.offset agent.id agent.role agent.name agent.version principal.id principal.type resource.type resource.id',
  'resource.sensitivity usage.tokens usage.costUsd approval.required approval.status approval.approver',
  'trace.traceparent prompt.ref attributes.a attributes.__proto__ targets.0 targets.3 delegation.0 __proto__ constructor',
]
  .join(' ')
  .split(' ');

/** The values around every bound of the schema, and those of every other type. */
const oddValue = fc.oneof(
  fc.constantFrom<unknown>(
    undefined,
    null,
    '',
    'x',
    true,
    0,
    -0,
    -1,
    1.5,
    1e-320,
    Number.MAX_SAFE_INTEGER,
    2 ** 53,
    1e308,
    Number.NaN,
    Number.POSITIVE_INFINITY,
    Number.NEGATIVE_INFINITY,
    'ok',
    'OK',
    'delete',
    '\ud800',
    '2026-02-29T10:15:30Z',
    '2024-02-29T10:15:30Z',
    '2026-11-23t10:15:30z',
    '2026-11-23T24:00:00Z',
    '2026-11-23T10:15:60Z',
    '2026-11-23T10:15:30.1234567890Z',
  ),
  fc.constantFrom(255, 256, 257, 2047, 2048, 2049).map((length) => 'n'.repeat(length)),
  fc.constantFrom(0, 16, 17, 256, 257).map((length): unknown => Array.from({ length }, () => 'n')),
  fc
    .constantFrom(63, 64, 65)
    .map((length): unknown => Object.fromEntries(Array.from({ length }, (_, i) => [`k${i}`, i]))),
  fc.constant([undefined]),
  fc.constant({ id: 'n' }),
  fc.anything({ withNullPrototype: true, maxDepth: 1, maxKeys: 3 }),
);

interface Mutation {
  path: string;
  kind: 'set' | 'drop';
  value: unknown;
}

const mutation: fc.Arbitrary<Mutation> = fc.record({
  path: fc.constantFrom(...PATHS),
  kind: fc.constantFrom('set', 'set', 'set', 'drop'),
  value: oddValue,
});

function mutate(event: object, { path, kind, value }: Mutation): void {
  const keys = path.split('.');
  const last = keys.pop()!;
  let owner: object = event;
  for (const key of keys) {
    const next: unknown = Reflect.get(owner, key);
    if (typeof next !== 'object' || next === null) return;
    owner = next;
  }
  // As JSON.parse does: `__proto__` becomes a field of its own.
  if (kind === 'drop') Reflect.deleteProperty(owner, last);
  else
    Reflect.defineProperty(owner, last, {
      value: structuredClone(value),
      enumerable: true,
      configurable: true,
      writable: true,
    });
}

/** Valid events with up to four changes: close to the border from both sides. */
export const nearEvent: fc.Arbitrary<unknown> = fc
  .tuple(validEvent, fc.array(mutation, { maxLength: 4, size: 'max' }))
  .map(([event, mutations]) => {
    const copy = structuredClone(event);
    for (const each of mutations) mutate(copy, each);
    return copy;
  });
