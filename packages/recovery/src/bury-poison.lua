-- bury-poison: ends the claim of a poison job, whose instance is dead, and writes what is to be seen of it. A script: the claim
-- and the entry in `dead` change in one step (S1), and of several recoverers one buries it (S3).
-- KEYS[1]  jobs:ID     SET of members
-- KEYS[2]  dead        ZSET
-- KEYS[3]  recoveries  HASH, mark of a payload -> seconds
-- KEYS[4]  job:MEMBER  STRING, the payload
-- ARGV[1]  member
-- ARGV[2]  deadTimeoutSeconds   entries older than this leave the dead set when one joins it
-- ARGV[3]  deadMaxJobs          and only so many of the youngest stay
-- ARGV[4]  'dead', or 'dropped': nothing is left of it
-- ARGV[5]  the bytes for `dead`
-- Returns  'buried'; 'gone': another one was faster; 'blocked': `dead` holds another type. Nothing was written then.
-- Order    What can fail comes before the first write. The first write is SREM, which a full Redis allows.
if redis.call('SISMEMBER', KEYS[1], ARGV[1]) == 0 then return 'gone' end
local kind = redis.call('TYPE', KEYS[2]).ok
if kind ~= 'zset' and kind ~= 'none' and ARGV[4] == 'dead' then return 'blocked' end
local payload = redis.call('GET', KEYS[4])
local has_counts = redis.call('TYPE', KEYS[3]).ok == 'hash'
local time = redis.call('TIME')
local now = time[1] + time[2] / 1000000

-- The same in recover, settle and suspects.
local function mark_of(bytes)
  if #bytes > 65536 then bytes = #bytes .. string.sub(bytes, 1, 32768) .. string.sub(bytes, -32768) end
  return string.sub(redis.sha1hex(bytes), 1, 20)
end

redis.call('SREM', KEYS[1], ARGV[1])
redis.call('DEL', KEYS[4])
if has_counts and payload then redis.call('HDEL', KEYS[3], mark_of(payload)) end
if ARGV[4] == 'dead' then
  redis.call('ZADD', KEYS[2], string.format('%.6f', now), ARGV[5])
  redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', string.format('%.6f', now - ARGV[2]))
  redis.call('ZREMRANGEBYRANK', KEYS[2], 0, -1 - ARGV[3])
end
return 'buried'
