-- sightings: notes which connections of the fleet were seen, for whoever looks next. A script, because nothing may be noted of
-- an instance that has ended: its note would stay for ever (L3).
-- KEYS[1]  instances  SET
-- KEYS[2]  sightings  HASH, id -> what was seen
-- ARGV     an id, what was seen of it, and so on
-- Returns  how many were noted; notes of ids that are not registered any more are taken away
-- Order    What can fail comes before the first write. The first write is HDEL, which a full Redis allows.
redis.call('SCARD', KEYS[1])
local noted = redis.call('HKEYS', KEYS[2])
redis.call('HDEL', KEYS[2], '')
for _, id in ipairs(noted) do
  if redis.call('SISMEMBER', KEYS[1], id) == 0 then redis.call('HDEL', KEYS[2], id) end
end
local count = 0
for at = 1, #ARGV, 2 do
  if redis.call('SISMEMBER', KEYS[1], ARGV[at]) == 1 then
    redis.call('HSET', KEYS[2], ARGV[at], ARGV[at + 1])
    count = count + 1
  end
end
return count
