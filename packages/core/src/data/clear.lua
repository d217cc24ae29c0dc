-- clear: takes a whole list or sorted set away. A script, so that the count that is told is the count that went, and so that
-- a key of another type is not taken away with it.
-- KEYS[1]  queue:NAME, schedule, retry or dead
-- KEYS[2]  optional: queues   SET of queue names
-- ARGV[1]  'list' or 'zset'   what KEYS[1] must be
-- ARGV[2]  with KEYS[2]: the name that leaves it
-- Returns  how many entries went; -1 when KEYS[1] holds another type: nothing was written
local kind = redis.call('TYPE', KEYS[1]).ok
if kind ~= ARGV[1] and kind ~= 'none' then return -1 end
local count = redis.call(kind == 'list' and 'LLEN' or 'ZCARD', KEYS[1])
redis.call('UNLINK', KEYS[1]) -- freed by another thread: a million entries block nobody
if KEYS[2] and redis.call('TYPE', KEYS[2]).ok == 'set' then redis.call('SREM', KEYS[2], ARGV[2]) end
return count
