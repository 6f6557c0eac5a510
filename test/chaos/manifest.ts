import type { PolicyBody } from '../../src/domain/rule.ts';
import type { PublicJwk } from '../../src/formats/signature.ts';
import type { NaivePolicy } from '../properties/naive-measures.ts';

/** What the verifier is told: where things are, and what the policies mean. JSON has no Infinity: `withinMs` null. */
export interface Manifest {
  brokers: string[];
  redisPorts: number[];
  topicPrefix: string;
  keyPrefix: string;
  partitions: number;
  /** What the log held of each partition when the last action was written: the state must be past it. */
  mustReach: number[];
  trusted: PublicJwk[];
  policies: { hash: string; body: PolicyBody; naive: NaivePolicy }[];
}

/** What the verifier found. A run is good when there are no faults. */
export interface Findings {
  faults: string[];
  faultCount: number;
  records: number;
  actions: number;
  sessions: number;
  poison: number;
  commands: { expected: number; distinct: number; published: number };
  /** Append time of a command behind that of the record that caused it, ms; the first publication counts. */
  delayMs: { p50: number; p99: number; max: number };
}
