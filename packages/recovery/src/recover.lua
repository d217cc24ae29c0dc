-- recover: puts back what a dead instance held, some jobs at a call: the same bytes, each on the queue that its member names.
-- A script, because "it is dead", "it may claim no more" and "this job is in its queue again and nobody's claim" must be one
-- step: however many call this at once, each orphan is put back once (S3), and none of the living (S4). What a call costs
-- depends on the members that it names, not on how many there are: the caller has read them before, in pieces.
-- KEYS[1]  instances       SET
-- KEYS[2]  instances:dead  SET of the ids that were declared dead and still hold claims
-- KEYS[3]  instance:ID     STRING: while it is there, the instance lives
-- KEYS[4]  jobs:ID         SET of members
-- KEYS[5]  claims:ID       STRING
-- KEYS[6]  queues          SET of queue names
-- KEYS[7]  recoveries      HASH, mark of a payload -> the seconds at which it was recovered
-- KEYS[8]  suspect:ID      STRING, the member of the suspect that the instance has started last
-- KEYS[9]  vitals:ID       HASH, what the instance noted of itself while it lived
-- ARGV[1]  ID
-- ARGV[2]  what stands before a member in the key of its payload
-- ARGV[3]  what stands before a queue's name in the key of its list
-- ARGV[4]  'next': they are fetched before what waits in the queue, the last member of the call first; 'last': behind it, the
--          first member of the call first
-- ARGV[5]  poisonLimit     so many recoveries of one job; with the next it is poison
-- ARGV[6]  windowSeconds   recoveries that are older do not count
-- ARGV[7…] members that may go back, at most 500, none twice; those that are not held any more are passed over
-- Returns  'alive', and nothing was written; or { 1 when this call declared it dead else 0, number of jobs put back,
--          { member whose payload is gone, … }, { what keeps jobs from going back, … }, number of members left,
--          { member, payload, seconds of its recoveries, … for each that is poison }, number of the call's members that were
--          looked at: of those behind them nothing is known, for the payloads before them are big, second by Redis' clock,
--          { member that was put back, … } }.
--          Poison stays the dead instance's claim, and is named by each call, until it is buried.
--          What keeps a job: the key of its queue, when that holds no list; its own member, when it names no queue. Such jobs
--          stay the dead instance's claims, and go back by a later call when the key is repaired.
-- Counts   The first two recoveries of a job count whoever killed the process. From then on it is a suspect, and only one that
--          its process had started counts on, so that who stood beside a poison job is not taken for one.
-- Order    What can fail comes before the first write. The first write is SREM, which a full Redis allows.
local id, goes_next, first = ARGV[1], ARGV[4] == 'next', 7
-- A call that has read so many bytes of payloads reads no more.
local enough_bytes = 262144

-- How often a job is recovered before it is a suspect.
local suspect_from = 2

if redis.call('EXISTS', KEYS[3]) == 1 then return 'alive' end
redis.call('SCARD', KEYS[1]) -- these raise WRONGTYPE
redis.call('SCARD', KEYS[2])
redis.call('SCARD', KEYS[4])
local function holds(key, wanted)
  local kind = redis.call('TYPE', key).ok
  return kind == wanted or kind == 'none'
end
local names_fit = holds(KEYS[6], 'set')
local counts_fit, has_counts = holds(KEYS[7], 'hash'), redis.call('EXISTS', KEYS[7]) == 1
local started = redis.call('GET', KEYS[8])
local poison_limit, window, now = tonumber(ARGV[5]), tonumber(ARGV[6]), tonumber(redis.call('TIME')[1])

-- The same in settle and suspects. Of a big payload its ends and its length must do: hashing all of it would take too long.
local function mark_of(payload)
  if #payload > 65536 then
    payload = #payload .. string.sub(payload, 1, 32768) .. string.sub(payload, -32768)
  end
  return string.sub(redis.sha1hex(payload), 1, 20)
end
local function recent(noted)
  local seconds = {}
  for second in string.gmatch(noted or '', '%d+') do
    if now - second < window then seconds[#seconds + 1] = second end
  end
  return seconds
end
-- Notes one more recovery. Answers the seconds of the earlier ones when the job is poison.
local now_text = string.format('%d', now)
local counts, marks, poison = {}, {}, {}
local function count(member, payload)
  if not counts_fit then return nil end
  local mark = mark_of(payload)
  local noted = counts[mark] or has_counts and redis.call('HGET', KEYS[7], mark)
  if not noted then
    marks[#marks + 1] = mark
    counts[mark] = now_text
    return nil
  end
  local seconds = recent(noted)
  if #seconds >= suspect_from and member ~= started then return nil end
  if #seconds >= poison_limit then return table.concat(seconds, ' ') end
  seconds[#seconds + 1] = now_text
  if not counts[mark] then marks[#marks + 1] = mark end
  counts[mark] = table.concat(seconds, ' ')
  return nil
end

local held = {}
if #ARGV >= first then held = redis.call('SMISMEMBER', KEYS[4], unpack(ARGV, first)) end
local fits, kept, missing, ended, ended_keys, moved, names, lines = {}, {}, {}, {}, {}, {}, {}, {}
local bytes, looked_at = 0, 0
for i = 1, #held do
  if bytes >= enough_bytes then break end
  looked_at = i
  local member = ARGV[first + i - 1]
  local at = string.find(member, '@', 1, true)
  local name = at and string.sub(member, at + 1)
  if held[i] == 0 then
    name = nil -- somebody was faster
  elseif not name then
    kept[#kept + 1] = member
  elseif fits[name] == nil then
    fits[name] = holds(ARGV[3] .. name, 'list')
    if not fits[name] then kept[#kept + 1] = ARGV[3] .. name end
  end
  if name and fits[name] then
    local key = ARGV[2] .. member
    local payload = redis.pcall('GET', key)
    if type(payload) == 'string' then
      bytes = bytes + #payload
      local seconds = count(member, payload)
      if seconds then
        for _, value in ipairs({ member, payload, seconds }) do poison[#poison + 1] = value end
      else
        local line = lines[name]
        if not line then
          line = {}
          lines[name] = line
          names[#names + 1] = name
        end
        line[#line + 1] = payload
        ended[#ended + 1] = member
        ended_keys[#ended_keys + 1] = key
        moved[#moved + 1] = member
      end
    else
      ended[#ended + 1] = member
      missing[#missing + 1] = member -- a key of another type counts as gone too, and is left alone
    end
  end
end

local declared = redis.call('SREM', KEYS[1], id)
if #ended > 0 then redis.call('SREM', KEYS[4], unpack(ended)) end
if #ended_keys > 0 then redis.call('DEL', unpack(ended_keys)) end
for _, name in ipairs(names) do redis.call(goes_next and 'RPUSH' or 'LPUSH', ARGV[3] .. name, unpack(lines[name])) end
if names_fit and #names > 0 then redis.call('SADD', KEYS[6], unpack(names)) end
if #marks > 0 then
  local notes = {}
  for i, mark in ipairs(marks) do
    notes[2 * i - 1] = mark
    notes[2 * i] = counts[mark]
  end
  redis.call('HSET', KEYS[7], unpack(notes))
  redis.call('EXPIRE', KEYS[7], window)
  -- What is too old leaves bit by bit, while others join.
  local some = redis.call('HRANDFIELD', KEYS[7], 20, 'WITHVALUES')
  for i = 1, #some, 2 do
    if #recent(some[i + 1]) == 0 then redis.call('HDEL', KEYS[7], some[i]) end
  end
end
local left = redis.call('SCARD', KEYS[4])
if left > 0 then
  redis.call('SADD', KEYS[2], id)
else
  redis.call('SREM', KEYS[2], id)
  redis.call('DEL', KEYS[5], KEYS[8], KEYS[9])
end
return { declared, #ended_keys, missing, kept, left, poison, looked_at, now, moved }
