import { MemoryState } from '../../../src/adapters/memory/memory-state.ts';
import { MemoryStateStore } from '../../../src/adapters/memory/state-store.ts';
import { HEADER_BYTES, type StateServer } from '../../contracts/state-server.ts';

export async function startMemoryState(): Promise<StateServer> {
  const state = new MemoryState({ rememberedWrites: 100 });
  return {
    open: async () => new MemoryStateStore({ headerBytes: HEADER_BYTES, state }),
    failNext: (...faults) => state.failNext(...faults),
    deliver: async () => state.deliver(),
    mark: async () => {
      const { writes } = state;
      return async () => state.loseWrites(state.writes - writes);
    },
    flush: async () => state.flush(),
    remove: async (partition, session) => state.tamper(partition, ({ sessions }) => sessions.delete(session)),
    put: async (partition, session, bytes) => state.tamper(partition, ({ sessions }) => sessions.set(session, bytes)),
    setNext: async (partition, next) =>
      state.tamper(partition, (found) => {
        if (found.checkpoint) found.checkpoint = { ...found.checkpoint, next };
      }),
    stop: async () => {},
  };
}
