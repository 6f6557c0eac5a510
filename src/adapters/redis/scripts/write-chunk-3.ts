import { OWNED, script } from './script.ts';

/**
 * Writes one chunk of a checkpoint.
 * Guarantee: all of it or nothing. Every check comes before the first write, and after that nothing can fail: the
 * types are checked, out-of-memory and read-only are refused at the first write only. Before a session changes, its
 * value at the consistent point is in the journal. The last chunk moves the point and drops the journal in the same
 * breath, so its own old values need no copy. The sequence is counted up last.
 *
 * KEYS[1..3] meta, sessions, undo
 * ARGV[1] token
 * ARGV[2] sequence
 * ARGV[3] how many sessions are written
 * ARGV[4] how many are deleted
 * then session and bytes of each written one, then the deleted ones, then in the last chunk only:
 *   next, state of the partition, sessions held at next, facts for people
 * Answers OK; or MISCOUNT and the number of sessions that would be held, when that is not the number given.
 */
export const WRITE_CHUNK = script(`${OWNED}
local written, deleted = tonumber(ARGV[3]), tonumber(ARGV[4])
local firstDeleted = 5 + 2 * written
local tail = firstDeleted + deleted
local point = ARGV[tail] and {ARGV[tail], ARGV[tail + 1], ARGV[tail + 2], ARGV[tail + 3]}

local old = {}
local function look(at)
  if point then old[at] = redis.call('HEXISTS', sessions, ARGV[at]) == 1
  else old[at] = redis.call('HGET', sessions, ARGV[at]) end
end
for at = 5, firstDeleted - 1, 2 do
  look(at)
  if not old[at] then count = count + 1 end
end
for at = firstDeleted, tail - 1 do
  look(at)
  if old[at] then count = count - 1 end
end
if point and count ~= tonumber(point[3]) then return {'MISCOUNT', tostring(count)} end

local function journal(at)
  if not point then undone = undone + redis.call('HSETNX', undo, ARGV[at], old[at] and 'v' .. old[at] or 'a') end
end
for at = 5, firstDeleted - 1, 2 do
  journal(at)
  redis.call('HSET', sessions, ARGV[at], ARGV[at + 1])
end
for at = firstDeleted, tail - 1 do
  journal(at)
  redis.call('HDEL', sessions, ARGV[at])
end
if point then
  redis.call('UNLINK', undo)
  undone = 0
  redis.call('HSET', meta, 'next', point[1], 'partition', point[2], 'sessions', point[3], 'lastChunk', point[4])
end
redis.call('HSET', meta, 'count', tostring(count), 'undo', tostring(undone), 'seq', following(ARGV[2]))
return {'OK'}
`);
