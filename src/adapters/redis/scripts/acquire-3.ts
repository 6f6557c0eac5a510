import { script } from './script.ts';

/**
 * Takes a partition over.
 * Guarantee: from here every script of an older token answers FENCED. Changes no session.
 *
 * KEYS[1..3] meta, sessions, undo
 * ARGV[1] token of the new owner
 * Answers OK, sequence, sessions held, sessions recorded, journal entries held, journal entries recorded.
 */
export const ACQUIRE = script(`
local meta, sessions, undo = KEYS[1], KEYS[2], KEYS[3]
local found = redis.call('HMGET', meta, 'seq', 'count', 'undo')
local held, kept = redis.call('HLEN', sessions), redis.call('HLEN', undo)
local count, undone = found[2] or '0', found[3] or '0'
local seq = string.format('%.0f', (tonumber(found[1]) or 0) + 1)
redis.call('HSET', meta, 'token', ARGV[1], 'seq', seq, 'count', count, 'undo', undone)
return {'OK', seq, tostring(held), count, tostring(kept), undone}
`);
