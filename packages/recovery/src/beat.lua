-- beat: one instance says that it lives. A script, because Redis' clock must write the time (S6), and because an instance
-- that was declared dead must hear of it in the same step: others own its jobs by now, and it needs a new id.
-- KEYS[1]  instances    SET of the ids that may claim
-- KEYS[2]  instance:ID  STRING, seconds since the epoch with six decimals; expires
-- ARGV[1]  ID
-- ARGV[2]  ttlMs        integer: for how long this beat vouches
-- ARGV[3]  'register', sent once for an id, at its start; else 'renew'
-- Returns  'renewed'; 'lapsed': ID is not registered, nothing was written. A beat that comes late, yet before anybody declared
--          the instance dead, renews as any other.
-- Order    What can fail comes before the first write. The first write is PEXPIRE, which a full Redis allows.
local registered = redis.call('SISMEMBER', KEYS[1], ARGV[1]) == 1
if not registered and ARGV[3] ~= 'register' then return 'lapsed' end

redis.call('PEXPIRE', KEYS[2], ARGV[2])
if not registered then redis.call('SADD', KEYS[1], ARGV[1]) end
local now = redis.call('TIME')
redis.call('SET', KEYS[2], string.format('%s.%06d', now[1], now[2]), 'PX', ARGV[2])
return 'renewed'
