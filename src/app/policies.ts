import type { PolicyActivated } from '../domain/record.ts';
import { PolicyBody } from '../domain/rule.ts';
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

  async #compile(policy: PolicyActivated): Promise<Plan> {
    if (policy.engine > ENGINE_VERSION) {
      throw new Error(`policy ${policy.hash} is for engine ${policy.engine}; this is ${ENGINE_VERSION}: upgrade first`);
    }
    const bytes = await this.#library.get(policy);
    return compilePolicy(policy.hash, PolicyBody.parse(JSON.parse(Buffer.from(bytes).toString('utf8'))));
  }
}
