import { OWNED, script } from './script.ts';

/**
 * Puts a part of the rollback journal back.
 * Guarantee: each entry that was put back is removed in the same script, so the loop may be cut anywhere and run by
 * another owner; the sequence counts these writes too, so losing one of them is seen.
 *
 * KEYS[1..3] meta, sessions, undo
 * ARGV[1] token
 * ARGV[2] sequence
 * ARGV[3] how many entries at most
 * Answers OK, entries left.
 */
export const RESTORE = script(`${OWNED}
local entries = redis.call('HRANDFIELD', undo, ARGV[3], 'WITHVALUES')
for i = 1, #entries, 2 do
  local session, old = entries[i], entries[i + 1]
  if string.sub(old, 1, 1) == 'v' then
    count = count + redis.call('HSET', sessions, session, string.sub(old, 2))
  else
    count = count - redis.call('HDEL', sessions, session)
  end
  undone = undone - redis.call('HDEL', undo, session)
end
redis.call('HSET', meta, 'count', tostring(count), 'undo', tostring(undone), 'seq', following(ARGV[2]))
return {'OK', tostring(undone)}
`);
