-- promote: moves due entries to their queues. A script, because an entry must at no moment be in neither place (S1), nor
-- in both (S3): whoever finds the old bytes still there, and still due, moves them; of two pollers, one does.
-- Nothing can fail after the first write, and that is a ZREM, which a full Redis allows.
-- KEYS[1]   retry or schedule   ZSET, payload by the second it is due
-- KEYS[2]   queues              SET of queue names
-- KEYS[3..] queue:NAME          LIST, one for each name of ARGV
-- ARGV[1]   count of names; then the names, in the order of their KEYS; then for each entry, the earliest first:
--           number of its name (1..), its bytes in the set, its bytes for the queue
-- Returns   for each entry: 1 moved; 0 not there any more, or not due any more; -1 a key holds another type, left there
local names = tonumber(ARGV[1])
local function holds(key, kind)
  local found = redis.call('TYPE', key).ok
  return found == kind or found == 'none'
end

local usable = {}
local registry = holds(KEYS[2], 'set')
for number = 1, names do
  usable[number] = registry and holds(KEYS[2 + number], 'list')
end

local members = {}
for at = names + 2, #ARGV, 3 do
  members[#members + 1] = ARGV[at + 1]
end
local time = redis.call('TIME')
local now = time[1] + time[2] / 1000000
local scores = redis.call('ZMSCORE', KEYS[1], unpack(members))

local answers, leaving, known, arriving = {}, {}, {}, {}
for entry, member in ipairs(members) do
  local at = names + 2 + (entry - 1) * 3
  local number = tonumber(ARGV[at])
  if not scores[entry] or tonumber(scores[entry]) > now then
    answers[entry] = 0
  elseif not usable[number] then
    answers[entry] = -1
  else
    answers[entry] = 1
    leaving[#leaving + 1] = member
    if not arriving[number] then
      arriving[number] = {}
      known[#known + 1] = ARGV[1 + number]
    end
    table.insert(arriving[number], ARGV[at + 2])
  end
end

if #leaving > 0 then
  redis.call('ZREM', KEYS[1], unpack(leaving))
  redis.call('SADD', KEYS[2], unpack(known))
  -- LPUSH: the back of the line, as in Sidekiq; the earliest due is pushed first, so it is taken first.
  for number, payloads in pairs(arriving) do
    redis.call('LPUSH', KEYS[2 + number], unpack(payloads))
  end
end
return answers
