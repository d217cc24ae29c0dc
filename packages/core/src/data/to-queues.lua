-- to-queues: moves entries of a sorted set to their queues, due or not, because somebody asks for it. A script, because an
-- entry must at no moment be in neither place (S1), nor in both: whoever finds the old bytes still there moves them; of two who
-- act at once, one does.
-- KEYS[1]   schedule, retry or dead   ZSET, payload by a second
-- KEYS[2]   queues              SET of queue names
-- KEYS[3..] queue:NAME          LIST, one for each name of ARGV
-- ARGV[1]   count of names; then the names, in the order of their KEYS; then for each entry:
--           number of its name (1..), its bytes in the set, its bytes for the queue
-- Returns   for each entry: 1 moved; 0 not there any more; -1 a key holds another type, left there
-- Order     What can fail comes before the first write. The first write is ZREM, which a full Redis allows.
local names = tonumber(ARGV[1])
local function holds(key, kind)
  local found = redis.call('TYPE', key).ok
  return found == kind or found == 'none'
end

local usable = {}
local registry = holds(KEYS[1], 'zset') and holds(KEYS[2], 'set')
for number = 1, names do
  usable[number] = registry and holds(KEYS[2 + number], 'list')
end

local answers = {}
for at = names + 2, #ARGV, 3 do
  local number = tonumber(ARGV[at])
  if not usable[number] then
    answers[#answers + 1] = -1
  elseif redis.call('ZREM', KEYS[1], ARGV[at + 1]) == 0 then
    answers[#answers + 1] = 0
  else
    redis.call('SADD', KEYS[2], ARGV[1 + number])
    redis.call('LPUSH', KEYS[2 + number], ARGV[at + 2]) -- the back of the line, as in Sidekiq
    answers[#answers + 1] = 1
  end
end
return answers
