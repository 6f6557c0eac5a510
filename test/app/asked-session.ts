import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { createKafka } from '../../src/adapters/kafka/client.ts';
import { KafkaOutlet } from '../../src/adapters/kafka/outlet.ts';
import { TopicFollower } from '../../src/adapters/kafka/topic-follower.ts';
import { createTopics } from '../../src/adapters/kafka/topics.ts';
import { systemClock } from '../../src/adapters/system-clock.ts';
import { generateKeyPair, storeKeyFile } from '../../src/app/keys.ts';
import type { Decision } from '../../src/domain/decision.ts';
import { type Finding, viewOf } from '../../src/domain/finding.ts';
import { partitionOf } from '../../src/domain/partitioner.ts';
import { decodeRecord } from '../../src/formats/log-record.ts';
import { keyringOf, publicJwkOf, signingKeyOf } from '../../src/formats/signature.ts';
import { sharedKafka } from '../services/shared.ts';

const PARTITIONS = 2;

/**
 * Topics of a real Kafka in which one session waits for an answer, and in the place of the analyzers a reader of the log
 * that accepts each decision, but for one whose reason is `stale`.
 */
export async function askedSession() {
  const { brokers, prefix } = await sharedKafka();
  const topicPrefix = `${prefix}.`;
  const logger = pino({ level: 'silent' });
  const kafka = createKafka({ brokers, clientId: 'test', logger });
  await createTopics(kafka, { topicPrefix, brokers, partitions: PARTITIONS, replicationFactor: 1, clock: systemClock });
  const folder = await mkdtemp(join(tmpdir(), 'firebreak-asked-'));
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
      conditions: [
        { rule: 'mass-deletion', condition: 'pause', score: 21, threshold: 20, reason: 'too many deletions' },
      ],
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
      const { id, kind, by, reason, scope } = body.decision;
      decisions.push(body.decision);
      const refused = reason === 'stale';
      const ordered = kind === 'lift' ? 'order_lifted' : 'order_in_force';
      const finding: Finding = {
        ...shared,
        ...{ id: `a-${id}-${partition}`, position: position(partition, raw.offset), decision: { id, kind, by } },
        ...(refused
          ? { code: 'decision_refused', refusal: 'stale_view', reason: 'the request has changed since' }
          : { code: scope === undefined ? 'decision_accepted' : ordered, reason: 'it counts' }),
      };
      void outlet.publish([{ topic: 'findings', key: session, finding }]);
    },
  });
  await analyzer.start();
  return {
    ...{ brokers, topicPrefix, kafka, outlet, folder, session, request, decisions, shared },
    home: position(home, 8),
    async close() {
      await analyzer.stop();
      await outlet.close();
      await rm(folder, { recursive: true });
    },
  };
}
