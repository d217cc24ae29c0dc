-- set-page: the entries of a sorted set that come behind a given one, whether that one is still there or not. A script,
-- because the place is found and the entries are read in one step: a reader that goes on from the last entry it saw neither
-- passes one over nor meets one twice, whatever leaves and comes meanwhile. It reads only.
-- KEYS[1]  schedule, retry or dead   ZSET, payload by a second
-- ARGV[1]  'earliest-first' or 'latest-first'
-- ARGV[2]  limit    integer: at most so many
-- ARGV[3]  absent for the first page; else the score of the entry that was seen last, as Redis gave it
-- ARGV[4]  with ARGV[3]: the entry's bytes; '' with 'earliest-first' stands before every entry of the score
-- Returns  {bytes, score as text, bytes, score as text, ...}
-- Cost     some 5 commands; when the entry is gone and n others have its score, log2(n) more
local latest = ARGV[1] == 'latest-first'
local range = latest and 'ZREVRANGE' or 'ZRANGE'

-- As Redis orders members: by their bytes. Lua's own `<` asks the locale.
local function is_less(a, b)
  local length, block = math.min(#a, #b), 256
  local at = 1
  while at <= length and string.sub(a, at, at + block - 1) == string.sub(b, at, at + block - 1) do at = at + block end
  for i = at, math.min(at + block - 1, length) do
    local x, y = string.byte(a, i), string.byte(b, i)
    if x ~= y then return x < y end
  end
  return #a < #b
end

-- How many entries stand before the place where the entry would be, by halving those of its score.
local function place_of(score, bytes)
  local low
  if latest then
    low = redis.call('ZCOUNT', KEYS[1], '(' .. score, '+inf')
  else
    low = redis.call('ZCOUNT', KEYS[1], '-inf', '(' .. score)
  end
  if bytes == '' and not latest then return low end
  local high = low + redis.call('ZCOUNT', KEYS[1], score, score)
  while low < high do
    local middle = math.floor((low + high) / 2)
    local member = redis.call(range, KEYS[1], middle, middle)[1]
    local is_before
    if latest then is_before = is_less(bytes, member) else is_before = is_less(member, bytes) end
    if is_before then low = middle + 1 else high = middle end
  end
  return low
end

local first = 0
if ARGV[3] then
  local score = redis.call('ZSCORE', KEYS[1], ARGV[4])
  if score and tonumber(score) == tonumber(ARGV[3]) then
    first = redis.call(latest and 'ZREVRANK' or 'ZRANK', KEYS[1], ARGV[4]) + 1
  else
    first = place_of(ARGV[3], ARGV[4])
  end
end
return redis.call(range, KEYS[1], first, first + ARGV[2] - 1, 'WITHSCORES')
