-- to-dead: moves entries of a sorted set to `dead`, because somebody asks for it, or because they are due and nobody can read
-- them: an operator finds them there, and the poller does not meet them again. Their bytes stay. A script: an entry is at no
-- moment in neither set (S1), and of two who act at once, one moves it. An entry of `dead` itself dies anew, now.
-- KEYS[1]  schedule, retry or dead   ZSET, payload by a second
-- KEYS[2]  dead                ZSET, payload by the second it died
-- ARGV[1]  timeoutSeconds      integer: older ones leave the dead set
-- ARGV[2]  maxJobs             integer: only so many of the youngest stay
-- ARGV[3..]                    the bytes
-- Returns  for each entry: 1 moved; 0 not there any more; -1 a key holds another type: nothing was written
-- Order    What can fail comes before the first write. The first write is ZREM, which a full Redis allows.
local function holds_a_set(key)
  local kind = redis.call('TYPE', key).ok
  return kind == 'zset' or kind == 'none'
end

local usable = holds_a_set(KEYS[1]) and holds_a_set(KEYS[2])
local time = redis.call('TIME')
local now = time[1] .. '.' .. string.format('%06d', time[2])
local answers, moved = {}, 0
for at = 3, #ARGV do
  if not usable then
    answers[#answers + 1] = -1
  elseif redis.call('ZREM', KEYS[1], ARGV[at]) == 0 then
    answers[#answers + 1] = 0
  else
    redis.call('ZADD', KEYS[2], now, ARGV[at])
    answers[#answers + 1] = 1
    moved = moved + 1
  end
end
if moved > 0 then
  redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', time[1] - ARGV[1])
  redis.call('ZREMRANGEBYRANK', KEYS[2], 0, -1 - ARGV[2])
end
return answers
