-- due: the entries of `retry` or `schedule` whose time has come, the earliest first. A script, because Redis' clock must
-- decide (S6). It reads only; promote.lua looks again before it moves anything.
-- KEYS[1]  retry or schedule   ZSET, payload by the second it is due
-- ARGV[1]  offset              integer: so many due entries to pass over, because they could not be moved before
-- ARGV[2]  limit               integer: at most so many
-- ARGV[3]  maxBytes            integer: none is read any more once those before it are longer than this together. Read are
--                              ten at a time, so that payloads of some megabytes keep neither Redis nor the reader for long
-- Returns  {milliseconds since the epoch as text, '1' when more may be due else '0', payload, payload, ...}
local offset, limit, max_bytes = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local time = redis.call('TIME')
local milliseconds = string.format('%d%03d', time[1], math.floor(time[2] / 1000))
local now = time[1] .. '.' .. string.format('%06d', time[2])
local reply, count, bytes, more = { milliseconds, '1' }, 0, 0, true
while more and count < limit and bytes <= max_bytes do
  local wanted = math.min(10, limit - count)
  local due = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', now, 'LIMIT', offset + count, wanted)
  for _, payload in ipairs(due) do
    reply[#reply + 1] = payload
    bytes = bytes + #payload
  end
  count = count + #due
  more = #due == wanted
end
if not more then reply[2] = '0' end
return reply
