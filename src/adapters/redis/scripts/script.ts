import { createHash } from 'node:crypto';

/** A Lua script of the state protocol. All take the three keys of a partition: `KEYS` is `stateKeys`. */
export interface Script {
  readonly lua: string;
  readonly sha1: string;
}

export function script(lua: string): Script {
  return { lua, sha1: createHash('sha1').update(lua).digest('hex') };
}

/**
 * How a script begins that needs ownership and nothing else.
 * Guarantee: past these lines the caller's token is the owner's, and no write of it was lost.
 *
 * ARGV[1] token of the caller
 * ARGV[2] sequence after the caller's last write
 */
export const OWNER = `
local meta, sessions, undo = KEYS[1], KEYS[2], KEYS[3]
local owned = redis.call('HMGET', meta, 'token', 'seq', 'count', 'undo')
if not owned[1] then return {'LOST', 'it has no owner'} end
if owned[1] ~= ARGV[1] then return {'FENCED', owned[1]} end
if owned[2] ~= ARGV[2] then return {'CONFLICT', tostring(owned[2])} end
local function following(seq) return string.format('%.0f', seq + 1) end
`;

/**
 * How a script begins that needs the state, too.
 * Guarantee: sessions and journal hold as many fields as they must. Reading all three keys also means that a key of a
 * wrong type ends the script before its first write.
 */
export const OWNED = `${OWNER}
local count, undone = tonumber(owned[3]), tonumber(owned[4])
local held, kept = redis.call('HLEN', sessions), redis.call('HLEN', undo)
if held ~= count then return {'LOST', held .. ' sessions instead of ' .. tostring(owned[3])} end
if kept ~= undone then return {'LOST', kept .. ' journal entries instead of ' .. tostring(owned[4])} end
`;
