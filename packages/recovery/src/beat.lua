-- beat: one instance says that it lives. A script, because Redis' clock must write the time (S6), and because an instance
-- that was declared dead must hear of it in the same step: others own its jobs by now, and it needs a new id.
-- KEYS[1]  instances    SET of the ids that may claim
-- KEYS[2]  instance:ID  STRING, seconds since the epoch with six decimals; expires
-- KEYS[3]  vitals:ID    HASH, what its process notes of itself for who finds it dead; `beat`: the time of this beat
-- ARGV[1]  ID
-- ARGV[2]  ttlMs        integer: for how long this beat vouches
-- ARGV[3]  'register', sent once for an id, at its start; else 'renew'
-- ARGV     from the fourth on: fields and values of vitals:ID; without any it stays as it is
-- Returns  'renewed'; 'lapsed': ID is not registered, and nothing was written; a note of it that was left is gone. A beat that
--          comes late, yet before anybody declared the instance dead, renews as any other.
-- Order    What can fail comes before the first write. The first write is PEXPIRE or DEL, which a full Redis allows. A note that
--          Redis refuses is given up: no beat fails for it.
local registered = redis.call('SISMEMBER', KEYS[1], ARGV[1]) == 1
if not registered and ARGV[3] ~= 'register' then
  redis.call('DEL', KEYS[3])
  return 'lapsed'
end

redis.call('PEXPIRE', KEYS[2], ARGV[2])
if not registered then redis.call('SADD', KEYS[1], ARGV[1]) end
local time = redis.call('TIME')
local now = string.format('%s.%06d', time[1], time[2])
redis.call('SET', KEYS[2], now, 'PX', ARGV[2])
if #ARGV > 3 then
  redis.call('DEL', KEYS[3])
  redis.pcall('HSET', KEYS[3], 'beat', now, unpack(ARGV, 4))
end
return 'renewed'
