import { OWNED, script } from './script.ts';

/**
 * Reads sessions.
 * Guarantee: all values are of one moment, at the sequence that the caller knows.
 *
 * KEYS[1..3] meta, sessions, undo
 * ARGV[1] token
 * ARGV[2] sequence
 * ARGV[3..] sessions
 * Answers OK, then the bytes of each session or nil.
 */
export const LOAD = script(`${OWNED}
local answer = {'OK'}
for i = 3, #ARGV do answer[i - 1] = redis.call('HGET', sessions, ARGV[i]) end
return answer
`);
