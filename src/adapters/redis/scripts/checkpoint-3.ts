import { OWNED, script } from './script.ts';

/**
 * Reads the consistent point.
 *
 * KEYS[1..3] meta, sessions, undo
 * ARGV[1] token
 * ARGV[2] sequence
 * Answers OK, next or nil, state of the partition or nil, sessions recorded at next or nil, sessions held.
 */
export const CHECKPOINT = script(`${OWNED}
local point = redis.call('HMGET', meta, 'next', 'partition', 'sessions')
return {'OK', point[1], point[2], point[3], tostring(held)}
`);
