-- set-slice: the entries of a sorted set from one position to another, and its size, as they are at one moment. It reads only.
-- A script for one more reason: it gives scores as the text that Redis has, whatever protocol the connection speaks.
-- KEYS[1]  schedule, retry or dead   ZSET, payload by a second
-- ARGV[1]  'earliest-first' or 'latest-first'
-- ARGV[2]  first position, from 0 on
-- ARGV[3]  last position, included
-- Returns  {size as text, bytes, score as text, bytes, score as text, ...}
local range = ARGV[1] == 'latest-first' and 'ZREVRANGE' or 'ZRANGE'
local slice = redis.call(range, KEYS[1], ARGV[2], ARGV[3], 'WITHSCORES')
table.insert(slice, 1, tostring(redis.call('ZCARD', KEYS[1])))
return slice
