import { workerData } from 'node:worker_threads';
import type { PolicyBody } from '../../domain/rule.ts';
import { answerCalls } from '../threads.ts';
import { Shard } from './shard.ts';
import type { BySide } from './sides.ts';

/** The thread that `startShard` starts: one shard, which does what it is told. */
answerCalls(new Shard(workerData as BySide<PolicyBody>));
