import { OWNED, script } from './script.ts';

/**
 * One step of a walk over the sessions: their names and the first bytes of each.
 * Guarantee: a walk from cursor 0 to cursor 0 names every session at least once. Answers a few hundred at a time;
 * Redis may answer more when the hash is small, and a session twice.
 *
 * KEYS[1..3] meta, sessions, undo
 * ARGV[1] token
 * ARGV[2] sequence
 * ARGV[3] cursor
 * ARGV[4] about how many sessions
 * ARGV[5] how many bytes of each
 * Answers OK, next cursor, then session and header in turn.
 */
export const HEADERS = script(`${OWNED}
local page = redis.call('HSCAN', sessions, ARGV[3], 'COUNT', ARGV[4])
local answer, entries, bytes = {'OK', page[1]}, page[2], tonumber(ARGV[5])
for i = 1, #entries, 2 do
  answer[i + 2], answer[i + 3] = entries[i], string.sub(entries[i + 1], 1, bytes)
end
return answer
`);
