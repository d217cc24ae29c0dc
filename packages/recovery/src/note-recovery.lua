-- note-recovery: keeps in mind, for who operates the fleet, that somebody looked for the dead and what was put back. Nothing
-- decides by it. A script, because Redis' clock must write the times (S6), and because what is noted when the last instance
-- has gone would stay (L3).
-- KEYS[1]  instances  SET
-- KEYS[2]  last_pass  HASH, `at`, `by`, `interval_ms`: the last look for heartbeats that ran out; expires when none follows
-- KEYS[3]  recovered  LIST of the last recoveries, the newest first, each `second report`; expires
-- ARGV[1]  own         the id that looked
-- ARGV[2]  intervalMs  between its passes; '' when it made none, and has put something back all the same
-- ARGV[3]  keep        integer: so many recoveries are kept
-- ARGV[4]  keepSeconds integer: for so long
-- ARGV     from the fifth on: reports, opaque
-- Returns  'noted'; 'nobody': no instance is registered, nothing was written
-- Order    What can fail comes before the first write. The first write is EXPIRE, which a full Redis allows.
if redis.call('SCARD', KEYS[1]) == 0 then return 'nobody' end
redis.call('HLEN', KEYS[2]) -- these raise WRONGTYPE
redis.call('LLEN', KEYS[3])
local time = redis.call('TIME')
local now = string.format('%s.%06d', time[1], time[2])

redis.call('EXPIRE', KEYS[3], ARGV[4])
if ARGV[2] ~= '' then
  redis.call('HSET', KEYS[2], 'at', now, 'by', ARGV[1], 'interval_ms', ARGV[2])
  redis.call('PEXPIRE', KEYS[2], 3 * ARGV[2])
end
for at = 5, #ARGV do redis.call('LPUSH', KEYS[3], now .. ' ' .. ARGV[at]) end
if #ARGV > 4 then
  redis.call('LTRIM', KEYS[3], 0, ARGV[3] - 1)
  redis.call('EXPIRE', KEYS[3], ARGV[4])
end
return 'noted'
