import type { Kafka } from 'kafkajs';
import type { Logger } from 'pino';
import { TopicFollower } from '../../adapters/kafka/topic-follower.ts';
import { Finding } from '../../domain/finding.ts';
import { Verdict } from '../../domain/output.ts';
import type { Clock } from '../../ports.ts';
import { SessionBoard } from '../session-board.ts';
import { jsonOf } from '../session-history.ts';

export interface LiveViewOptions {
  kafka: Kafka;
  topicPrefix: string;
  historyMs: number;
  clock: Clock;
  logger: Logger;
}

/** Findings that are kept for those who come late or come back. */
const RECENT_MAX = 10_000;

export type Listener = (finding: Finding) => void;

/** How everything stands, and what is said from now on: Kafka's findings and verdicts in memory. */
export class LiveView {
  readonly board = new SessionBoard();
  readonly #recent: Finding[] = [];
  readonly #listeners = new Set<Listener>();
  readonly #follower: TopicFollower;
  #live = false;

  constructor({ kafka, topicPrefix, historyMs, clock, logger }: LiveViewOptions) {
    const verdicts = `${topicPrefix}verdicts`;
    const findings = `${topicPrefix}findings`;
    this.#follower = new TopicFollower({
      kafka,
      clock,
      logger,
      topics: [
        { topic: verdicts, from: 'beginning' },
        { topic: findings, from: { sinceMs: clock.nowMs() - historyMs } },
      ],
      onRecord: (topic, _partition, record) => {
        if (topic === verdicts) {
          const verdict = jsonOf(Verdict, record);
          if (verdict !== undefined) this.board.verdict(verdict);
          return;
        }
        const finding = jsonOf(Finding, record);
        if (finding !== undefined) this.#heard(finding);
      },
    });
  }

  /** Fulfilled when what was said before is known. */
  async start(): Promise<void> {
    await this.#follower.start();
    this.#live = true;
  }

  get ended(): Promise<void> {
    return this.#follower.ended;
  }

  stop(): Promise<void> {
    return this.#follower.stop();
  }

  /** From the next finding on, until the answer is called. */
  listen(listener: Listener): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** What was said of a session lately, oldest first. */
  findingsOf(session: string): Finding[] {
    return this.#recent.filter((finding) => finding.session === session);
  }

  /** What came after a finding, for who comes back with its id; undefined when that is too long ago. */
  after(id: string): Finding[] | undefined {
    const at = this.#recent.findLastIndex((finding) => finding.id === id);
    return at < 0 ? undefined : this.#recent.slice(at + 1);
  }

  #heard(finding: Finding): void {
    this.board.finding(finding);
    this.#recent.push(finding);
    if (this.#recent.length > RECENT_MAX) this.#recent.shift();
    if (this.#live) for (const listener of this.#listeners) listener(finding);
  }
}
