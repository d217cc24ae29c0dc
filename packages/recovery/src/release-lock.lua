-- release-lock: gives the recovery lock back, if it is still the holder's. A script, because between a look and a DEL the lock
-- could expire and become another's.
-- KEYS[1]  recovery_lock, or gem_scan  STRING, the id of the instance that recovers at present; expires
-- ARGV[1]  holder
-- Returns  'released'; 'not-held': it expired, or is another's, and was left alone
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 'not-held' end
redis.call('DEL', KEYS[1])
return 'released'
