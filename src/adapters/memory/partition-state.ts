import { type Checkpoint, type Chunk, TenureLost } from '../../ports.ts';

/** One partition in memory. The functions below do to it what the scripts of the Redis adapter do there. */
export interface PartitionState {
  token: string | undefined;
  seq: number;
  /** How many fields `sessions` must hold. They differ after a loss. */
  count: number;
  sessions: Map<string, Uint8Array>;
  /** The rollback journal: bytes at the consistent point, undefined for absent. */
  undo: Map<string, Uint8Array | undefined>;
  checkpoint: Checkpoint | undefined;
}

export function emptyPartition(): PartitionState {
  return { token: undefined, seq: 0, count: 0, sessions: new Map(), undo: new Map(), checkpoint: undefined };
}

/** A copy that later changes of the original do not reach. Bytes are never changed in place, so they are shared. */
export function copyOf(state: PartitionState): PartitionState {
  return { ...state, sessions: new Map(state.sessions), undo: new Map(state.undo) };
}

/** Answers why the state was thrown away; undefined when it was not. */
export function acquire(state: PartitionState, token: string): string | undefined {
  state.token = token;
  state.seq += 1;
  const { size } = state.sessions;
  if (size !== state.count) return discard(state, `${size} sessions instead of ${state.count}`);
  for (const [session, bytes] of state.undo) {
    if (bytes) state.sessions.set(session, bytes);
    else state.sessions.delete(session);
  }
  state.undo.clear();
  state.count = state.sessions.size;
  const recorded = state.checkpoint?.sessions ?? 0;
  if (state.count !== recorded)
    return discard(state, `${state.count} sessions instead of ${recorded} at the checkpoint`);
  return undefined;
}

export function checkOwned(state: PartitionState, token: string, seq: number): void {
  if (state.token === undefined) throw new TenureLost('state_lost', 'the partition has no owner');
  if (state.token !== token) throw new TenureLost('fenced', `owned by ${state.token} now`);
  if (state.seq !== seq) throw new TenureLost('rolled_back', `at sequence ${state.seq} instead of ${seq}`);
  if (state.sessions.size !== state.count) {
    throw new TenureLost('state_lost', `${state.sessions.size} sessions instead of ${state.count}`);
  }
}

/** All of the chunk or nothing: every check comes before the first change. */
export function write(state: PartitionState, token: string, seq: number, chunk: Chunk): void {
  checkOwned(state, token, seq);
  let count = state.count;
  for (const [session, bytes] of chunk.sessions) {
    if (bytes && !state.sessions.has(session)) count += 1;
    else if (!bytes && state.sessions.has(session)) count -= 1;
  }
  if (chunk.checkpoint && chunk.checkpoint.sessions !== count) {
    throw new Error(`the checkpoint would hold ${count} sessions, which is not what it says`);
  }
  for (const [session, bytes] of chunk.sessions) {
    if (!state.undo.has(session)) state.undo.set(session, state.sessions.get(session));
    if (bytes) state.sessions.set(session, bytes.slice());
    else state.sessions.delete(session);
  }
  if (chunk.checkpoint) {
    state.checkpoint = { ...chunk.checkpoint, partition: chunk.checkpoint.partition.slice() };
    state.undo.clear();
  }
  state.count = count;
  state.seq += 1;
}

export function discard(state: PartitionState, why: string): string {
  state.sessions.clear();
  state.undo.clear();
  state.checkpoint = undefined;
  state.count = 0;
  return why;
}
