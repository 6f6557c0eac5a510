import { extname } from 'node:path';
import type { PolicyBody } from '../../domain/rule.ts';
import { COPIED, startThread } from '../threads.ts';
import type { Frame } from './frame.ts';
import type { RemoteShard, Shard } from './shard.ts';
import type { BySide } from './sides.ts';

/** This file is `threads.ts` or the built `threads.js`, and the worker beside it has the same kind of name. */
const ENTRY = new URL(`./worker${extname(import.meta.url)}`, import.meta.url);

/** A shard in a thread of its own. */
export interface ThreadShard extends RemoteShard {
  stop(): Promise<void>;
}

/** Starts the thread; the rules are compiled there, and the first call fails where they cannot be. */
export function startShard(rules: BySide<PolicyBody>): ThreadShard {
  return startThread<Shard>(ENTRY, rules, {
    judge: ({ marks, bytes }: Frame) => [marks.buffer as ArrayBuffer, bytes.buffer as ArrayBuffer],
    pendingUntilMs: COPIED,
    runOn: COPIED,
    end: COPIED,
    totals: COPIED,
    takeSessions: COPIED,
  });
}
