import { OWNER, script } from './script.ts';

/**
 * Throws away everything of a partition but its owner, when what is left of it is not one consistent point.
 * Guarantee: afterwards the partition is as if it had never been saved, under a sequence that goes on.
 *
 * KEYS[1..3] meta, sessions, undo
 * ARGV[1] token
 * ARGV[2] sequence
 * Answers OK.
 */
export const DISCARD = script(`${OWNER}
redis.call('HDEL', meta, 'next', 'partition', 'sessions', 'lastChunk')
redis.call('UNLINK', sessions, undo)
redis.call('HSET', meta, 'count', '0', 'undo', '0', 'seq', following(ARGV[2]))
return {'OK'}
`);
