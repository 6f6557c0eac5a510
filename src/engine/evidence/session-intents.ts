import { partId } from '../fingerprint.ts';
import type { ByteReader, ByteWriter } from '../session/bytes.ts';
import { MarkMemory } from './marks.ts';
import { SessionEvidence } from './session-evidence.ts';

/** Names the evidence of all intents in the shadow, in what a session holds of rules. */
export const SHADOW_EVIDENCE = partId('evidence in the shadow');

/** What a session keeps for the intents of its policy, in one life. It begins with the first action of that life. */
export class SessionIntents {
  /** Key of the cohort that the first action named: a session does not change sides on its way. */
  readonly cohort: string;
  readonly evidence: SessionEvidence;
  readonly #memories: Map<number, MarkMemory>;

  constructor(cohort: string, evidence = new SessionEvidence(), memories = new Map<number, MarkMemory>()) {
    this.cohort = cohort;
    this.evidence = evidence;
    this.#memories = memories;
  }

  memory(intent: number): MarkMemory {
    let memory = this.#memories.get(intent);
    if (!memory) {
      memory = new MarkMemory();
      this.#memories.set(intent, memory);
    }
    return memory;
  }

  /** Leaves behind the intents that a new policy does not have; the others go on. */
  keepOnly(intents: ReadonlySet<number>): void {
    for (const kind of [this.#memories, this.evidence.features]) {
      for (const id of kind.keys()) if (!intents.has(id)) kind.delete(id);
    }
    this.evidence.convert();
  }

  write(to: ByteWriter): void {
    to.text(this.cohort);
    this.evidence.write(to);
    const ids = [...this.#memories.keys()].sort((a, b) => a - b);
    to.count(ids.length);
    for (const id of ids) {
      to.uint32(id);
      this.#memories.get(id)!.write(to);
    }
  }

  static read(from: ByteReader): SessionIntents {
    const cohort = from.text();
    const evidence = SessionEvidence.read(from);
    const size = from.length();
    const memories = new Map<number, MarkMemory>();
    for (let i = 0; i < size; i++) memories.set(from.uint32(), MarkMemory.read(from));
    return new SessionIntents(cohort, evidence, memories);
  }
}
