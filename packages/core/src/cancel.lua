-- cancel: says of one job that it shall end, wherever it runs or waits. A script, because Redis' clock must say until when
-- that holds (S6), and because Ruby's iterable jobs must find their part of it whole.
-- KEYS[1]  cancelled  ZSET, jid by the second until which its cancellation holds; the key expires after the last
-- KEYS[2]  it-JID     HASH of an iterable job of Sidekiq 7.3 and later; expires
-- ARGV[1]  jid
-- ARGV[2]  ttlSeconds integer
-- Returns  'cancelled', whether the job is anywhere or not
-- Order    What can fail comes before the first write. The first write is ZREMRANGEBYSCORE, which a full Redis allows.
local kind = redis.call('TYPE', KEYS[2]).ok
local time = redis.call('TIME')
local now = time[1] + time[2] / 1000000
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', string.format('%.6f', now))
redis.call('ZADD', KEYS[1], string.format('%.6f', now + ARGV[2]), ARGV[1])
redis.call('EXPIRE', KEYS[1], ARGV[2] + 1)
if kind == 'hash' or kind == 'none' then
  -- A hash with nothing but `cancelled` makes Sidekiq 7.3 to 8.1 fail the job with a TypeError instead of ending it.
  redis.call('HSETNX', KEYS[2], 'ex', '0')
  redis.call('HSETNX', KEYS[2], 'c', 'null')
  redis.call('HSETNX', KEYS[2], 'rt', '0.0')
  redis.call('HSETNX', KEYS[2], 'cancelled', time[1])
  redis.call('EXPIRE', KEYS[2], ARGV[2])
end
return 'cancelled'
