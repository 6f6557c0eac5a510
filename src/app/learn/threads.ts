import { extname } from 'node:path';
import type { Frame } from '../backtest/frame.ts';
import { COPIED, type Remote, startThread } from '../threads.ts';
import type { ReadingRoom, RoomData } from './reading-room.ts';

/** This file is `threads.ts` or the built `threads.js`, and the worker beside it has the same kind of name. */
const ENTRY = new URL(`./worker${extname(import.meta.url)}`, import.meta.url);

export type ThreadRoom = Remote<ReadingRoom> & { stop(): Promise<void> };

const ofFrame = ({ marks, bytes }: Frame) => [marks.buffer as ArrayBuffer, bytes.buffer as ArrayBuffer];

/** Starts the thread; the policy is compiled there, and the first call fails where it cannot be. */
export function startRoom(data: RoomData): ThreadRoom {
  return startThread<ReadingRoom>(ENTRY, data, {
    subject: COPIED,
    digest: ofFrame,
    digestAndPack: ofFrame,
    take: COPIED,
    add: COPIED,
    begin: COPIED,
    counts: COPIED,
    crowds: COPIED,
    sizes: COPIED,
    known: COPIED,
    learnKnown: COPIED,
    sums: COPIED,
    learnDraft: COPIED,
    suprema: COPIED,
    scores: COPIED,
    numbers: COPIED,
  });
}
