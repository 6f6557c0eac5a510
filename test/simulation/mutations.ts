/** One line of a source file, and what takes its place. */
export interface Mutation {
  name: string;
  file: string;
  find: string;
  replace: string;
}

const WORKER = 'src/app/partition-worker.ts';
const STORE = 'src/adapters/memory/partition-state.ts';

/**
 * The protective lines of the protocol, and what is there without them; `find` must be in `file` exactly once.
 * The store's lines are those of the memory adapter, which is held to the scripts of the Redis one.
 */
export const MUTATIONS: readonly Mutation[] = [
  {
    name: 'owner token',
    file: STORE,
    find: "if (state.token !== token) throw new TenureLost('fenced', `owned by ${state.token} now`);",
    replace: '',
  },
  {
    name: 'sequence number',
    file: STORE,
    find: "if (state.seq !== seq) throw new TenureLost('rolled_back', `at sequence ${state.seq} instead of ${seq}`);",
    replace: '',
  },
  {
    name: 'rollback journal',
    file: STORE,
    find: 'if (!state.undo.has(session)) state.undo.set(session, state.sessions.get(session));',
    replace: '',
  },
  {
    name: 'only acknowledged state is saved',
    file: WORKER,
    find: 'if (this.#busy || this.#saving) return undefined;',
    replace: 'if (this.#saving) return undefined;',
  },
  {
    name: 'what is saved is fixed before the first wait',
    file: WORKER,
    find: 'const changes = this.partition.takeChanges();',
    replace: 'await new Promise(setImmediate); const changes = this.partition.takeChanges();',
  },
  {
    name: 'next is written last',
    file: 'src/app/checkpoint-writer.ts',
    find: `for (const sessions of chunks) await tenure.write({ sessions });
  await tenure.write({ sessions: last, checkpoint });`,
    replace: `await tenure.write({ sessions: last, checkpoint });
  for (const sessions of chunks) await tenure.write({ sessions });`,
  },
  {
    name: 'publish before going on',
    file: WORKER,
    find: 'await outlet.publish(audible);',
    replace: 'outlet.publish(audible).catch(() => undefined);',
  },
  {
    name: 'only effects are tried again, nothing is stepped again on the same memory',
    file: WORKER,
    find: 'await outlet.publish(audible);',
    replace: `await outlet.publish(audible).catch(() =>
        outlet.publish(records.flatMap((record) => step(partition, record))),
      );`,
  },
  {
    name: 'a session stays under its own policy when it is loaded',
    file: WORKER,
    find: 'this.partition.adopt(usable(`session "${id}"`, () => decodeSession(id, bytes)));',
    replace: `const session = decodeSession(id, bytes);
      if (this.partition.plan) session.convert(this.partition.plan);
      this.partition.adopt(session);`,
  },
  {
    name: 'a session that is loaded knows what it waits for',
    file: 'src/engine/session/codec.ts',
    find: '  session.noteAwaited();\n',
    replace: '',
  },
  {
    name: 'what is being saved stays in memory',
    file: WORKER,
    find: 'if (this.#saving !== undefined) return;',
    replace: '',
  },
  {
    name: 'idle probe',
    file: 'src/app/analyzer.ts',
    find: 'else await worker.probe();',
    replace: '',
  },
  {
    name: 'what step means (only the naive engine can see it)',
    file: 'src/engine/escalate.ts',
    find: 'if (levelRank(level) <= levelRank(session.level)) return;',
    replace: 'if (levelRank(level) <= levelRank(session.level) + 1) return;',
  },
];
