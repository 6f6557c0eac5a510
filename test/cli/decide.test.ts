import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterAll, expect, it, vi } from 'vitest';
import { createKafka } from '../../src/adapters/kafka/client.ts';
import { KafkaOutlet } from '../../src/adapters/kafka/outlet.ts';
import { TopicFollower } from '../../src/adapters/kafka/topic-follower.ts';
import { createTopics } from '../../src/adapters/kafka/topics.ts';
import { systemClock } from '../../src/adapters/system-clock.ts';
import { generateKeyPair, storeKeyFile } from '../../src/app/keys.ts';
import { createProgram } from '../../src/cli/program.ts';
import type { Decision } from '../../src/domain/decision.ts';
import { type Finding, viewOf } from '../../src/domain/finding.ts';
import { partitionOf } from '../../src/domain/partitioner.ts';
import { decodeRecord } from '../../src/formats/log-record.ts';
import { keyringOf, publicJwkOf, signingKeyOf } from '../../src/formats/signature.ts';
import { sharedKafka } from '../services/shared.ts';

const { brokers, prefix } = await sharedKafka();
const topicPrefix = `${prefix}.`;
const PARTITIONS = 2;
const logger = pino({ level: 'silent' });
const kafka = createKafka({ brokers, clientId: 'test', logger });
await createTopics(kafka, { topicPrefix, brokers, partitions: PARTITIONS, replicationFactor: 1, clock: systemClock });
const folder = await mkdtemp(join(tmpdir(), 'firebreak-decide-'));
const decider = generateKeyPair(['decider']);
await storeKeyFile(join(folder, 'keys.json'), { key: decider, trusted: [] });
await storeKeyFile(join(folder, 'gateway.json'), { key: generateKeyPair(['gateway']), trusted: [] });

const outlet = new KafkaOutlet({
  kafka,
  clock: systemClock,
  logger,
  ...{ topicPrefix, source: '/test', expireAfterMs: 0, onMinimalForm: () => {} },
  signingKey: signingKeyOf(generateKeyPair(['owner'])),
});

const position = (partition: number, offset: number) => ({ topicId: 't', partition, offset: String(offset) });
const session = 'conv-8842';
const home = partitionOf(session, PARTITIONS);
const now = new Date().toISOString();
const shared = { time: now, policyHash: 'sha256:1', agent: { id: 'mail-helper', role: 'email' }, session };
const unseen: Finding = {
  ...shared,
  ...{ id: 'f1', code: 'decision_requested', position: position(home, 7), reason: '21 deletions in 10 min' },
  evidence: [{ eventId: 'e21', time: now, tool: 'delete_email', resource: 'msg-21', contribution: 1 }],
  evidenceOmitted: 20,
  request: {
    command: 'cmd-7',
    conditions: [{ rule: 'mass-deletion', condition: 'pause', score: 21, threshold: 20, reason: 'too many deletions' }],
    conditionsOmitted: 0,
    answerWithinMs: 900_000,
    approvals: 1,
    approvedBy: [],
    grantBounds: ['marks', 'minutes'],
  },
};
const request = { ...unseen, view: viewOf(unseen) };
const verdict = { session, level: 'paused', command: 'cmd-7', rule: 'mass-deletion', time: now } as const;
await outlet.publish([
  { topic: 'findings', key: session, finding: request },
  { topic: 'verdicts', key: session, verdict: { ...verdict, position: position(home, 7) } },
]);

/** In the place of the analyzers: answers each decision in the partition where it reads it. */
const decisions: Decision[] = [];
const analyzer = new TopicFollower({
  kafka,
  topics: [{ topic: `${topicPrefix}actions`, from: 'beginning' }],
  clock: systemClock,
  logger,
  onRecord(_topic, partition, raw) {
    const { body } = decodeRecord(raw, keyringOf([publicJwkOf(decider)]), { partition, partitions: PARTITIONS });
    if (body.type !== 'decision') throw new Error(JSON.stringify(body));
    const { id, kind, by, reason } = body.decision;
    decisions.push(body.decision);
    const refused = reason === 'stale';
    const finding: Finding = {
      ...shared,
      ...{ id: `a-${id}-${partition}`, position: position(partition, raw.offset), decision: { id, kind, by } },
      ...(refused
        ? { code: 'decision_refused', refusal: 'stale_view', reason: 'the request has changed since' }
        : { code: 'decision_accepted', reason: 'it counts' }),
    };
    void outlet.publish([{ topic: 'findings', key: session, finding }]);
  },
});
await analyzer.start();
afterAll(async () => {
  await analyzer.stop();
  await outlet.close();
  await rm(folder, { recursive: true });
});

/** Standard output and exit code of a verb, or the message of its error. */
async function firebreak(...args: string[]): Promise<{ out: string; code: number }> {
  const out: string[] = [];
  const written = vi.spyOn(process.stdout, 'write').mockImplementation((text) => Boolean(out.push(String(text))));
  process.exitCode = 0;
  try {
    const where = ['--brokers', brokers.join(','), '--topic-prefix', topicPrefix, '--keys', join(folder, 'keys.json')];
    const known = args[0] === 'sessions' || args[0] === 'show' ? where.slice(0, 4) : where;
    const program = createProgram().exitOverride();
    for (const command of program.commands) command.exitOverride().configureOutput({ writeErr: () => {} });
    await program.parseAsync(['node', 'firebreak', args[0]!, ...known, ...args.slice(1)]);
    return { out: out.join(''), code: process.exitCode };
  } catch (error) {
    return { out: (error as Error).message, code: 1 };
  } finally {
    written.mockRestore();
    process.exitCode = 0;
  }
}

it('lists who waits for an answer, and shows what the answer would be about', async () => {
  const { out } = await firebreak('sessions');
  expect(out).toMatch(
    /^LEVEL +SESSION +AGENT +TENANT +FOR +BY +NEXT\npaused \? +conv-8842 +mail-helper .* waits for an answer\n$/,
  );
  const shown = await firebreak('show', session);
  expect(shown.out).toContain('session conv-8842 is paused and waits for an answer');
  expect(shown.out).toContain('- mass-deletion (pause): too many deletions [21 against 20]');
  expect(shown.out).toMatch(/delete_email +msg-21 +\+1/);
  expect(shown.out).toContain('No answer within 15m is a no.');
  expect(shown.out).toContain(`view     ${request.view}`);
  expect(shown.out).not.toContain('WARNING');
});

it('sends a release with the command and the view that it is about, signed, and tells what came of it', async () => {
  const told = await firebreak('release', session, '--grant', '5 marks, 10m', '--reason', 'agreed', '--by', 'kim@corp');
  expect(told).toEqual({ out: 'release of conv-8842 (5 marks, 10m): accepted, it counts\n', code: 0 });
  expect(decisions.at(-1)).toMatchObject({
    ...{ kind: 'release', session, command: 'cmd-7', view: request.view, grant: { marks: 5, minutes: 10 } },
    ...{ by: { id: 'kim@corp', type: 'user' }, reason: 'agreed' },
  });
});

it('says why the log refuses a decision, with exit code 1', async () => {
  const told = await firebreak('reject', session, '--reason', 'stale');
  expect(told).toEqual({ out: 'reject of conv-8842: refused, stale_view: the request has changed since\n', code: 1 });
});

it('gives an order to every partition, and lifts it', async () => {
  decisions.length = 0;
  expect(await firebreak('pause', '--tenant', 'corp', '--reason', 'stolen token')).toEqual({
    out: 'pause of tenant:corp: accepted, it counts\n',
    code: 0,
  });
  await firebreak('lift', '--tenant', 'corp', '--reason', 'rotated');
  expect(decisions.map(({ kind, scope }) => `${kind} ${scope?.type}:${scope?.id}`)).toEqual([
    ...['pause tenant:corp', 'pause tenant:corp', 'lift tenant:corp', 'lift tenant:corp'],
  ]);
});

it.each([
  [['release', session, '--grant', 'all', '--reason', 'r'], /grant: found "all"; allowed: parts with commas/],
  [['release', session, '--reason', 'r'], /--grant is missing/],
  [['reject', session], /--reason is missing/],
  [['reject', 'other', '--reason', 'r'], /session "other": nothing was said of it.*firebreak sessions/],
  [['release', session, '--grant', '1 mark', '--view', 'sha256:0'], /--view: found sha256:0, but the request in force/],
  [['kill', '--reason', 'r'], /name exactly one of: a session, --agent ID, --principal ID, --tenant ID/],
  [['lift', '--agent', 'a', '--tenant', 'b', '--reason', 'r'], /name exactly one of: --agent ID/],
  [['sessions', '--since', 'yesterday'], /found "yesterday"; allowed: a duration such as 30m, 24h, 7d/],
])('%j is refused with what is allowed', async (args, message) => {
  decisions.length = 0;
  expect(await firebreak(...args)).toEqual({ out: expect.stringMatching(message), code: 1 });
  expect(decisions).toEqual([]);
});

it('does not even write what the key may not decide', async () => {
  const told = await firebreak('kill', session, '--reason', 'r', '--keys', join(folder, 'gateway.json'));
  expect(told.out).toMatch(/gateway.json: its key has the role gateway; a decision needs decider/);
});
