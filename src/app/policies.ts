import { type LogRecord, type PolicyActivated, policyNamedBy } from '../domain/record.ts';
import { PolicyBody } from '../domain/rule.ts';
import type { Partition } from '../engine/partition.ts';
import { compilePolicy, ENGINE_VERSION, type Plan } from '../engine/plan/policy.ts';
import type { PolicyLibrary } from '../ports.ts';

/** Compiled policies of this process, each body fetched and compiled once, whatever the number of partitions. */
export class Policies {
  readonly #library: PolicyLibrary;
  readonly #plans = new Map<string, Promise<Plan>>();

  constructor(library: PolicyLibrary) {
    this.#library = library;
  }

  /** Throws where the body is missing, is another, or is not one that this engine can judge by. */
  plan(policy: PolicyActivated): Promise<Plan> {
    let plan = this.#plans.get(policy.hash);
    if (!plan) {
      plan = this.#compile(policy);
      this.#plans.set(policy.hash, plan);
      // A failure is not remembered: the body may arrive late.
      plan.catch(() => this.#plans.delete(policy.hash));
    }
    return plan;
  }

  /**
   * Gives the partition the plans that it needs for the records. Answers the first record that names a policy which
   * cannot be had: the partition has to stop before it.
   */
  async fetch(
    policies: readonly PolicyActivated[],
    records: readonly LogRecord[],
    { plans }: Partition,
  ): Promise<{ at: number; error: unknown } | undefined> {
    for (const policy of policies) {
      try {
        plans.set(policy.hash, await this.plan(policy));
      } catch (error) {
        return { at: records.findIndex(({ body }) => policyNamedBy(body)?.hash === policy.hash), error };
      }
    }
    return undefined;
  }

  async #compile(policy: PolicyActivated): Promise<Plan> {
    if (policy.engine > ENGINE_VERSION) {
      throw new Error(`policy ${policy.hash} is for engine ${policy.engine}; this is ${ENGINE_VERSION}: upgrade first`);
    }
    const bytes = await this.#library.get(policy);
    return compilePolicy(policy.hash, PolicyBody.parse(JSON.parse(Buffer.from(bytes).toString('utf8'))));
  }
}
