-- bury: moves entries that nobody can read from `retry` or `schedule` to `dead`, with their bytes, so that an operator
-- finds them there and the poller does not meet them again. A script: they are at no moment in neither set (S1).
-- KEYS[1]  retry or schedule   ZSET, payload by the second it is due
-- KEYS[2]  dead                ZSET, payload by the second it died
-- ARGV[1]  timeoutSeconds      integer: older ones leave the dead set
-- ARGV[2]  maxJobs             integer: only so many of the youngest stay
-- ARGV[3..]                    the bytes
-- Returns  how many were moved; -1 when `dead` holds another type: nothing was written
local kind = redis.call('TYPE', KEYS[2]).ok
if kind ~= 'zset' and kind ~= 'none' then return -1 end
local time = redis.call('TIME')
local now = time[1] .. '.' .. string.format('%06d', time[2])
local moved = 0
for at = 3, #ARGV do
  if redis.call('ZREM', KEYS[1], ARGV[at]) == 1 then
    redis.call('ZADD', KEYS[2], now, ARGV[at])
    moved = moved + 1
  end
end
if moved > 0 then
  redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', time[1] - ARGV[1])
  redis.call('ZREMRANGEBYRANK', KEYS[2], 0, -1 - ARGV[2])
end
return moved
