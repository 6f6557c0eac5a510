import { createHash } from 'node:crypto';
import type { Command } from '../domain/command.ts';
import type { Finding, FindingCode } from '../domain/finding.ts';
import { formatInstant } from '../domain/instant.ts';
import type { Output } from '../domain/output.ts';
import type { LogRecord } from '../domain/record.ts';
import type { Partition } from './partition.ts';
import type { Session } from './session/session.ts';

/**
 * Collects what one record causes. Ids derive from where in the log the cause stands, so a replay repeats them:
 *
 *   id = SHA-256(topicId, partition, offset, session, rule, action or code), the first 32 hex digits
 */
export class Outputs {
  readonly list: Output[] = [];
  readonly #partition: Partition;
  readonly #record: LogRecord;

  constructor(partition: Partition, record: LogRecord) {
    this.#partition = partition;
    this.#record = record;
  }

  get policyHash(): string {
    return this.#partition.plan?.hash ?? '';
  }

  get time(): string {
    return formatInstant(this.#record.appendMs);
  }

  get position(): Command['position'] {
    const { topicId, partition } = this.#partition;
    return { topicId, partition, offset: String(this.#record.offset) };
  }

  id(prefix: 'cmd' | 'fnd', session: string, rule: string, what: string): string {
    const { topicId, partition } = this.#partition;
    const cause = [topicId, partition, this.#record.offset, session, rule, what].join('\n');
    return `${prefix}-${createHash('sha256').update(cause).digest('hex').slice(0, 32)}`;
  }

  command(command: Command): void {
    this.list.push({ topic: 'commands', key: command.session ?? command.scope ?? '', command });
  }

  verdict(session: Session, level: 'paused' | 'killed', { id, rule }: Command): void {
    const verdict = { session: session.id, level, command: id, rule, time: this.time, position: this.position };
    this.list.push({ topic: 'verdicts', key: session.id, verdict });
  }

  finding(code: FindingCode, subject: Session | undefined, details: FindingDetails): void {
    const { rule = '' } = details;
    this.#partition.countFinding(code);
    const finding: Finding = {
      id: this.id('fnd', subject?.id ?? '', rule, code),
      code,
      time: this.time,
      position: this.position,
      policyHash: this.policyHash,
      ...(subject === undefined ? {} : { session: subject.id, ...actorOf(subject) }),
      ...details,
    };
    const key = subject?.id ?? `fb:${this.#partition.partition}`;
    this.list.push({ topic: 'findings', key, finding });
  }
}

type FindingDetails = Omit<Finding, 'id' | 'code' | 'time' | 'position' | 'policyHash' | 'session'>;

function actorOf(session: Session): Pick<Finding, 'agent' | 'principal' | 'tenant'> {
  return {
    agent: { id: session.agent, ...(session.role === undefined ? {} : { role: session.role }) },
    ...(session.principal === undefined ? {} : { principal: { id: session.principal } }),
    ...(session.tenant === undefined ? {} : { tenant: session.tenant }),
  };
}
