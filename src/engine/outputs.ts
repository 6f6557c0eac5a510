import { createHash } from 'node:crypto';
import { AUDITED_FINDINGS } from '../domain/audit.ts';
import type { Command } from '../domain/command.ts';
import { type Finding, type FindingCode, viewOf } from '../domain/finding.ts';
import { formatInstant } from '../domain/instant.ts';
import type { Level } from '../domain/level.ts';
import type { Output } from '../domain/output.ts';
import { controlKey } from '../domain/partitioner.ts';
import type { LogRecord } from '../domain/record.ts';
import { DEFAULT_SETTINGS, type PolicySettings } from '../domain/rule.ts';
import { type Audited, auditedAction } from './audited.ts';
import type { Partition } from './partition.ts';
import type { Session } from './session/session.ts';

/**
 * Collects what one record causes. Ids derive from where in the log the cause stands, so a replay repeats them:
 *
 *   id = SHA-256(topicId, partition, offset, session, rule, action or code), the first 32 hex digits
 *
 * Where silence caused it, its deadline is a part too: the record at which it is noticed may cause the same by itself.
 */
export class Outputs {
  readonly list: Output[] = [];
  readonly partition: Partition;
  readonly record: LogRecord;
  #deadlineMs: number | undefined;

  constructor(partition: Partition, record: LogRecord) {
    this.partition = partition;
    this.record = record;
  }

  get policyHash(): string {
    return this.partition.plan?.hash ?? '';
  }

  get time(): string {
    return formatInstant(this.record.appendMs);
  }

  get settings(): Readonly<PolicySettings> {
    return this.partition.plan?.settings ?? DEFAULT_SETTINGS;
  }

  get nowMs(): number {
    return this.partition.state.clockMs;
  }

  get position(): Command['position'] {
    const { topicId, partition } = this.partition;
    return { topicId, partition, offset: String(this.record.offset) };
  }

  /** `offset`: that of the record that set a timer, where one caused it. */
  id(prefix: 'cmd' | 'fnd', session: string, rule: string, what: string, offset = this.record.offset): string {
    const { topicId, partition } = this.partition;
    const silence = this.#deadlineMs === undefined ? [] : [`silence ${this.#deadlineMs}`];
    const cause = [topicId, partition, offset, session, rule, what, ...silence].join('\n');
    return `${prefix}-${createHash('sha256').update(cause).digest('hex').slice(0, 32)}`;
  }

  /** What `say` says, the silence of a session has caused, not the record. */
  bySilence(deadlineMs: number, say: () => void): void {
    this.#deadlineMs = deadlineMs;
    say();
    this.#deadlineMs = undefined;
  }

  command(command: Command, attempt = 1): void {
    const key = command.session ?? command.scope ?? '';
    this.list.push({ topic: 'commands', key, command, ...(attempt === 1 ? {} : { attempt }) });
    this.audit(command.session, { command });
  }

  /** Of the place in the log where the command was caused, also when it is said again. */
  verdict(session: Session, level: Level, { id, rule, time, position, standby }: Command): void {
    const stands = { session: session.id, level, command: id, rule, time, position };
    const verdict = { ...stands, ...(standby && { standby }) };
    this.list.push({ topic: 'verdicts', key: session.id, verdict });
  }

  /** `subject`: the id alone of a session that is not known here. */
  finding(code: FindingCode, subject: Session | string | undefined, details: FindingDetails): Finding {
    const session = typeof subject === 'string' ? subject : subject?.id;
    const { rule = '', decision } = details;
    this.partition.countFinding(code);
    // Two decisions about one session may stand in one record's wake, never the same one.
    const what = decision === undefined ? code : `${code} ${decision.id}`;
    const finding: Finding = {
      id: this.id('fnd', session ?? '', rule, what),
      code,
      time: this.time,
      position: this.position,
      policyHash: this.policyHash,
      ...(session === undefined ? {} : { session }),
      ...(typeof subject === 'object' ? actorOf(subject) : {}),
      ...details,
    };
    if (code === 'decision_requested') finding.view = viewOf(finding);
    const key = session ?? controlKey(this.partition.partition);
    this.list.push({ topic: 'findings', key, finding });
    if (AUDITED_FINDINGS.has(code)) this.audit(finding.session, { finding });
    return finding;
  }

  audit(session: string | undefined, audited: Audited): void {
    const { body } = this.record;
    const event = body.type === 'action' && body.event.session === session ? body.event : undefined;
    const about = {
      time: this.time,
      position: this.position,
      ...(session === undefined ? {} : { session }),
      ...(event === undefined ? {} : { action: auditedAction(event) }),
    };
    const entry = this.partition.chain({ ...about, ...audited });
    this.list.push({ topic: 'audit', key: controlKey(this.partition.partition), entry });
  }
}

export type FindingDetails = Omit<Finding, 'id' | 'code' | 'time' | 'position' | 'policyHash' | 'session'>;

export function actorOf(session: Session): Pick<Finding, 'agent' | 'principal' | 'tenant'> {
  return {
    agent: { id: session.agent, ...(session.role === undefined ? {} : { role: session.role }) },
    ...(session.principal === undefined ? {} : { principal: { id: session.principal } }),
    ...(session.tenant === undefined ? {} : { tenant: session.tenant }),
  };
}
