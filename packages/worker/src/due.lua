-- due: the entries of `retry` or `schedule` whose time has come, the earliest first. A script, because Redis' clock must
-- decide (S6). It reads only; promote.lua looks again before it moves anything.
-- KEYS[1]  retry or schedule   ZSET, payload by the second it is due
-- ARGV[1]  offset              integer: so many due entries to pass over, because they could not be moved before
-- ARGV[2]  limit               integer: at most so many
-- Returns  {milliseconds since the epoch as text, payload, payload, ...}
local time = redis.call('TIME')
local milliseconds = string.format('%d%03d', time[1], math.floor(time[2] / 1000))
local now = time[1] .. '.' .. string.format('%06d', time[2])
local due = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', now, 'LIMIT', ARGV[1], ARGV[2])
table.insert(due, 1, milliseconds)
return due
