import fc from 'fast-check';
import { expect } from 'vitest';
import { type Chunk, type StateStore, type Tenure, TenureLost } from '../../src/ports.ts';
import { startMemoryState } from '../adapters/memory/server.ts';
import { bytes, contents, type StateServer } from '../contracts/state-server.ts';

export const OWNERS = [0, 1, 2] as const;
type Owner = (typeof OWNERS)[number];
type Fault = 'none' | 'refused' | 'reply_lost' | 'late' | 'twice';

export type Operation =
  | { do: 'acquire'; owner: Owner; fault: Fault }
  | { do: 'write'; owner: Owner; fault: Fault; changes: [session: number, value: number | null][]; last: boolean }
  | { do: 'load' | 'probe' | 'crash'; owner: Owner }
  | { do: 'deliver' | 'mark' | 'roll back' };

const owner = fc.constantFrom(...OWNERS);
function sometimes(...faults: Fault[]): fc.Arbitrary<Fault> {
  return fc.oneof(
    { weight: 8, arbitrary: fc.constant<Fault>('none') },
    { weight: 3, arbitrary: fc.constantFrom(...faults) },
  );
}
const change = fc.tuple(fc.nat(5), fc.option(fc.nat(99)));
const operation: fc.Arbitrary<Operation> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('acquire' as const),
      owner,
      fault: sometimes('refused', 'reply_lost', 'late'),
    }),
  },
  {
    weight: 10,
    arbitrary: fc.record({
      do: fc.constant('write' as const),
      owner,
      fault: sometimes('refused', 'reply_lost', 'late', 'twice'),
      changes: fc.uniqueArray(change, { maxLength: 4, selector: ([session]) => session }),
      last: fc.boolean(),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constantFrom('load' as const, 'probe' as const, 'crash' as const), owner }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constantFrom('deliver' as const, 'mark' as const, 'roll back' as const) }),
  },
);

interface Held {
  token: number;
  seq: number;
  now: ReadonlyMap<string, string>;
  saved: { next: number; sessions: ReadonlyMap<string, string> } | undefined;
}
interface OracleTenure {
  token: number;
  seq: number;
  alive: boolean;
  /** The sessions that the owner believes to hold: what it counts, whatever has become of the store meanwhile. */
  own: ReadonlySet<string>;
}
type Outcome = 'ok' | 'failed' | `lost: ${TenureLost['reason']}`;

/** What must be seen, on plain values: the consistent point is a copy, and no script, journal or count exists. */
class Oracle {
  held: Held = { token: 0, seq: 0, now: new Map(), saved: undefined };
  marked: Held | undefined;
  tenures = new Map<Owner, OracleTenure>();
  #tokens = 0;
  #next = 0;
  #inFlight: (() => void)[] = [];

  acquire(who: Owner, fault: Fault): Outcome {
    this.#tokens += 1;
    const token = this.#tokens;
    this.tenures.delete(who);
    const apply = () => {
      this.held = { ...this.held, token, seq: this.held.seq + 1, now: this.held.saved?.sessions ?? new Map() };
    };
    if (this.#send(fault, apply) === 'failed') return 'failed';
    this.tenures.set(who, { token, seq: this.held.seq, alive: true, own: new Set(this.held.now.keys()) });
    return 'ok';
  }

  write(who: Owner, fault: Fault, chunk: Chunk): Outcome {
    const tenure = this.tenures.get(who)!;
    const { token, seq } = tenure;
    const refused = this.#refusal(tenure);
    const apply = () => {
      if (this.held.token !== token || this.held.seq !== seq) return;
      const now = new Map(this.held.now);
      for (const [session, value] of chunk.sessions) {
        if (value) now.set(session, Buffer.from(value).toString('latin1'));
        else now.delete(session);
      }
      const saved = chunk.checkpoint ? { next: chunk.checkpoint.next, sessions: now } : this.held.saved;
      this.held = { token, seq: seq + 1, now, saved };
    };
    const outcome = this.#send(fault, apply);
    const seen = outcome === 'failed' ? 'failed' : (refused ?? 'ok');
    if (seen === 'ok') {
      tenure.seq += 1;
      tenure.own = ownAfter(tenure.own, chunk.sessions);
    } else tenure.alive = false;
    return seen;
  }

  look(who: Owner): Outcome {
    const tenure = this.tenures.get(who)!;
    const refused = this.#refusal(tenure);
    if (refused) tenure.alive = false;
    return refused ?? 'ok';
  }

  deliver(): void {
    const arriving = this.#inFlight;
    this.#inFlight = [];
    for (const apply of arriving) apply();
  }

  nextOffset(): number {
    this.#next += 1;
    return this.#next;
  }

  #refusal(tenure: OracleTenure): Outcome | undefined {
    if (this.held.token !== tenure.token) return this.held.token === 0 ? 'lost: state_lost' : 'lost: fenced';
    return this.held.seq === tenure.seq ? undefined : 'lost: rolled_back';
  }

  #send(fault: Fault, apply: () => void): 'ok' | 'failed' {
    if (fault === 'late' || fault === 'twice') this.#inFlight.push(apply);
    if (fault === 'none' || fault === 'twice' || fault === 'reply_lost') apply();
    return fault === 'none' || fault === 'twice' ? 'ok' : 'failed';
  }
}

async function outcomeOf(call: Promise<unknown>): Promise<Outcome> {
  try {
    await call;
    return 'ok';
  } catch (error) {
    if (error instanceof TenureLost) return `lost: ${error.reason}`;
    return 'failed';
  }
}

function ownAfter(own: ReadonlySet<string>, changes: Chunk['sessions']): Set<string> {
  const after = new Set(own);
  for (const [session, value] of changes) {
    if (value) after.add(session);
    else after.delete(session);
  }
  return after;
}

function chunkOf(oracle: Oracle, { owner, changes, last }: Extract<Operation, { do: 'write' }>): Chunk {
  const sessions = new Map(
    changes.map(([session, value]) => [`s${session}`, value === null ? null : bytes(`value ${value}`)] as const),
  );
  if (!last) return { sessions };
  const { size } = ownAfter(oracle.tenures.get(owner)!.own, sessions);
  return { sessions, checkpoint: { next: oracle.nextOffset(), partition: bytes('p'), sessions: size } };
}

/** Runs the operations on one kind of store, comparing each outcome and each content with the oracle. */
export async function run(
  server: StateServer,
  stores: readonly StateStore[],
  partition: number,
  operations: readonly Operation[],
) {
  const oracle = new Oracle();
  const tenures = new Map<Owner, Tenure>();
  const trace: unknown[] = [];
  let rollBack: (() => Promise<void>) | undefined;

  const acquire = async (who: Owner, fault: Fault) => {
    tenures.delete(who);
    if (fault !== 'none') server.failNext(fault);
    const acquiring = stores[who]!.acquire(partition);
    const outcome = await outcomeOf(acquiring);
    expect(outcome).toBe(oracle.acquire(who, fault));
    if (outcome !== 'ok') return trace.push(outcome);
    const tenure = await acquiring;
    tenures.set(who, tenure);
    const seen = await contents(tenure);
    expect({ next: seen.next, sessions: seen.sessions, discarded: tenure.discarded }).toEqual({
      next: oracle.held.saved?.next,
      sessions: Object.fromEntries(oracle.held.saved?.sessions ?? []),
      discarded: undefined,
    });
    return trace.push(seen);
  };

  for (const step of operations) {
    switch (step.do) {
      case 'acquire':
        await acquire(step.owner, step.fault);
        break;
      case 'write': {
        const tenure = tenures.get(step.owner);
        if (!tenure) break;
        const chunk = chunkOf(oracle, step);
        if (!oracle.tenures.get(step.owner)!.alive) {
          expect(await outcomeOf(tenure.write(chunk))).toMatch(/^lost/);
          break;
        }
        if (step.fault !== 'none') server.failNext(step.fault);
        const outcome = await outcomeOf(tenure.write(chunk));
        expect(outcome).toBe(oracle.write(step.owner, step.fault, chunk));
        trace.push(outcome);
        break;
      }
      case 'load':
      case 'probe': {
        const tenure = tenures.get(step.owner);
        if (!tenure) break;
        const names = ['s0', 's1', 's2', 's3', 's4', 's5'];
        const looking = step.do === 'load' ? tenure.load(names) : tenure.probe();
        const outcome = await outcomeOf(looking);
        if (!oracle.tenures.get(step.owner)!.alive) {
          expect(outcome).toMatch(/^lost/);
          break;
        }
        expect(outcome).toBe(oracle.look(step.owner));
        const values = outcome === 'ok' ? await looking : undefined;
        if (values) {
          expect(values.map((value) => value && Buffer.from(value).toString('latin1'))).toEqual(
            names.map((name) => oracle.held.now.get(name)),
          );
        }
        trace.push(outcome);
        break;
      }
      case 'crash':
        tenures.delete(step.owner);
        break;
      case 'deliver':
        await server.deliver();
        oracle.deliver();
        break;
      case 'mark':
        rollBack = await server.mark(partition);
        oracle.marked = oracle.held;
        break;
      case 'roll back':
        if (!rollBack) break;
        await rollBack();
        oracle.held = oracle.marked!;
        rollBack = undefined;
        break;
      default:
        step satisfies never;
    }
  }
  await server.deliver();
  oracle.deliver();
  await acquire(0, 'none');
  return trace;
}

export const operations = fc.array(operation, { size: 'max', maxLength: 60 });

export async function runInMemory(steps: readonly Operation[]) {
  const memory = await startMemoryState();
  return run(memory, await Promise.all(OWNERS.map(() => memory.open())), 1, steps);
}
