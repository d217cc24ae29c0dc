-- to-time: gives entries of a sorted set another time. A script: an entry that is not there any more is not written again, and
-- one that is, is there once. Ruby finds the entry by bytes that it writes anew, and doubles it when they differ.
-- KEYS[1]  schedule, retry or dead   ZSET, payload by a second
-- ARGV[1]  score                     decimal text
-- ARGV[2..]                          the bytes
-- Returns  for each entry: 1 it stands there with this score; 0 not there any more; -1 the key holds another type
-- Order    The first write is ZREM, which a full Redis allows; ZADD alone would be refused.
local kind = redis.call('TYPE', KEYS[1]).ok
local usable = kind == 'zset' or kind == 'none'
local answers = {}
for at = 2, #ARGV do
  if not usable then
    answers[#answers + 1] = -1
  else
    local was = redis.call('ZREM', KEYS[1], ARGV[at])
    if was == 1 then redis.call('ZADD', KEYS[1], ARGV[1], ARGV[at]) end
    answers[#answers + 1] = was
  end
end
return answers
