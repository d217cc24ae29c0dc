-- take-lock: makes one instance the one that recovers, or looks at the fleet. A script, because a lock whose holder died in its pass must pass to the
-- next who asks, not wait for its expiry, and to one only; and because a plain SET is refused by a full Redis.
-- KEYS[1]  recovery_lock, watch or gem_scan  STRING, the id of the instance that recovers at present, or looked last; expires
-- ARGV[1]  own            the id that asks
-- ARGV[2]  ttlMs          integer
-- ARGV[3]  what stands before an id in the key of its heartbeat
-- ARGV[4]  'own', or 'with-gem': instances of the tracker gem take this lock too. The gem puts back what it has read, and ends its
--          own heartbeat before its work: so from a holder that does not look like an id of ours the lock is not taken, until it
--          expires.
-- Returns  'taken', also when own held it before; 'held': by another that lives
-- Order    What can fail comes before the first write. The first write is PEXPIRE, which a full Redis allows.
local holder = redis.call('GET', KEYS[1])
if holder and holder ~= ARGV[1] then
  if redis.call('EXISTS', ARGV[3] .. holder) == 1 then return 'held' end
  local is_ours = string.find(holder, '^[%w_-]+%-%x%x%x%x%x%x%x%x%x%x%x%x$')
  if ARGV[4] == 'with-gem' and not is_ours and redis.call('PTTL', KEYS[1]) > 0 then return 'held' end
end
redis.call('PEXPIRE', KEYS[1], ARGV[2])
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 'taken'
