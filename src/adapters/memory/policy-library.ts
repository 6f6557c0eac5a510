import type { PolicyActivated } from '../../domain/record.ts';
import type { PolicyLibrary } from '../../ports.ts';
import { bodyOf, chunksOf, PolicyUnavailable, policyOf } from '../policy-body.ts';

/** Bodies of one process. `failNext` lets the next call fail, for tests of what then happens. */
export class MemoryPolicyLibrary implements PolicyLibrary {
  readonly #engine: number;
  readonly #chunks = new Map<string, Uint8Array[]>();
  #failure: Error | undefined;

  constructor(engine: number) {
    this.#engine = engine;
  }

  failNext(error: Error): void {
    this.#failure = error;
  }

  async get(policy: PolicyActivated): Promise<Uint8Array> {
    this.#failIfTold();
    const chunks = this.#chunks.get(policy.hash);
    if (chunks === undefined) throw new PolicyUnavailable(policy, 'nobody has put it here');
    if (chunks.length !== policy.chunks) throw new PolicyUnavailable(policy, `it has ${chunks.length} chunks`);
    return bodyOf(policy, chunks);
  }

  async put(body: Uint8Array): Promise<PolicyActivated> {
    this.#failIfTold();
    const policy = policyOf(body, this.#engine);
    this.#chunks.set(policy.hash, chunksOf(Buffer.from(body)));
    return policy;
  }

  #failIfTold(): void {
    const failure = this.#failure;
    this.#failure = undefined;
    if (failure !== undefined) throw failure;
  }
}
