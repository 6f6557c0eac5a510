import { OWNED, script } from './script.ts';

/**
 * Looks whether the partition is still as its owner knows it. Costs the same however much the partition holds.
 *
 * KEYS[1..3] meta, sessions, undo
 * ARGV[1] token
 * ARGV[2] sequence
 * Answers OK, next or nil, sessions held, run id of the server.
 */
export const PROBE = script(`${OWNED}
local runId = string.match(redis.call('INFO', 'server'), 'run_id:(%w+)')
return {'OK', redis.call('HGET', meta, 'next'), tostring(held), runId or ''}
`);
