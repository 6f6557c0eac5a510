import { workerData } from 'node:worker_threads';
import { answerCalls } from '../threads.ts';
import { ReadingRoom, type RoomData } from './reading-room.ts';

/** The thread that `startRoom` starts. */
answerCalls(new ReadingRoom(workerData as RoomData));
