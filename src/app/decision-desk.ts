import type { Decision } from '../domain/decision.ts';
import type { Finding } from '../domain/finding.ts';
import type { Clock, Outlet } from '../ports.ts';
import { saidTo } from './control-copies.ts';

export interface DeskParts {
  outlet: Outlet;
  /** Partitions of the log. */
  partitions: number;
  clock: Clock;
}

/** How the log answers a decision: of a session the first two, of an order the first or one of the last two. */
const ANSWERS: ReadonlySet<Finding['code']> = new Set([
  'decision_refused',
  'decision_accepted',
  'order_in_force',
  'order_lifted',
]);

/** What the analyzers have said of a decision: one finding for each partition that it went to and that it is about. */
export interface DecisionAnswer {
  /** In the order in which they came. Without all of them the rest has not been judged yet. */
  findings: Finding[];
  /** How many of them there will be. */
  expected: number;
}

interface Waiting {
  answers: Map<number, Finding>;
  expected: number;
  complete(): void;
}

/**
 * Writes decisions into the log and waits for what they change. The log decides, not this process: a decision that is
 * written counts also when nobody waits for the answer.
 */
export class DecisionDesk {
  readonly #parts: DeskParts;
  readonly #waiting = new Map<string, Waiting>();

  constructor(parts: DeskParts) {
    this.#parts = parts;
  }

  /** Every finding that is read, from before the first decision on. */
  heard(finding: Finding): void {
    const { decision, code, position } = finding;
    if (decision === undefined || !ANSWERS.has(code)) return;
    const waiting = this.#waiting.get(decision.id);
    if (waiting === undefined) return;
    waiting.answers.set(position.partition, finding);
    if (waiting.answers.size >= waiting.expected) waiting.complete();
  }

  /** Throws when the decision cannot be written. Fulfilled with what was answered within that time. */
  async decide(decision: Decision, withinMs: number): Promise<DecisionAnswer> {
    const { outlet, partitions, clock } = this.#parts;
    const outputs = saidTo(decision.session, { type: 'decision.v1', body: decision }, partitions);
    const answered = new AbortController();
    const waiting = { answers: new Map(), expected: outputs.length, complete: () => answered.abort() };
    this.#waiting.set(decision.id, waiting);
    try {
      await outlet.publish(outputs);
      await clock.sleep(withinMs, answered.signal);
    } finally {
      this.#waiting.delete(decision.id);
    }
    const heard = [...waiting.answers.values()];
    const findings = heard.filter((finding) => !isElsewhere(finding, heard));
    return { findings, expected: outputs.length - (heard.length - findings.length) };
  }
}

/** An order that a crowd gave stands in one partition. Where that one lifts it, the others have refused nothing. */
function isElsewhere({ refusal }: Finding, heard: readonly Finding[]): boolean {
  return refusal === 'no_order' && heard.some(({ code }) => code !== 'decision_refused');
}
