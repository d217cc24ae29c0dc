-- settle: ends claims, each together with its outcome, so that no crash point lies between "it failed" and "its retry is
-- recorded" (S1), and only for members that the instance still holds (S2).
-- KEYS[1]  instances   SET
-- KEYS[2]  jobs:ID     SET of members
-- KEYS[3]  retry       ZSET
-- KEYS[4]  dead        ZSET
-- KEYS[5]  queues      SET of queue names
-- KEYS[6]  recoveries  HASH, mark of a payload -> the seconds at which it was recovered; of a job that ends it goes, one that
--          yields keeps it
-- ARGV[1]  ID
-- ARGV[2]  what stands before a member in the key of its payload
-- ARGV[3]  what stands before a queue's name in the key of its list
-- ARGV[4]  deadTimeoutSeconds   entries older than this leave the dead set when one joins it
-- ARGV[5]  deadMaxJobs          and only so many of the youngest stay
-- ARGV[6]  n, then n runs of claims that end without a trace (done, discarded, released), four arguments each: queue, batch,
--          first and last index. A run of a hundred members is four short arguments, where the members are most of what
--          a busy worker sends.
-- then     five arguments for each of the others: member; what is known of its claim,
--            'held'      the outcome counts only while it is held
--            'released'  its release was sent, and no reply has come: the outcome counts when it is held still, or when it is
--                        not and the instance is registered, for then nobody but the instance has ended it
--            'none'      its release is confirmed: the outcome counts in any case
--          kind; bytes; and for
--            'retry'    the seconds until it is due, by Redis' clock
--            'dead'     ''
--            'requeue'  the queue's name; as with one RPUSH after the other, the last of a queue will be fetched first
--            'yield'    the queue's name; at its back, so it will be fetched last
-- Returns  { 1 when the instance is registered else 0, { position of each that was not held, so nothing was written },
--          { position of each whose target holds another type: nothing was written, it is still held } }.
--          Positions count from 0, the members of the runs first.
-- Order    What can fail comes before the first write. The first write is SREM, which a full Redis allows.
local entries, members, asked = {}, {}, {}
local behind_runs = 7 + 4 * ARGV[6]
for at = 7, behind_runs - 1, 4 do
  local head, tail = ARGV[1] .. '.' .. ARGV[at + 1] .. '.', '@' .. ARGV[at]
  for index = ARGV[at + 2], ARGV[at + 3] do
    entries[#entries + 1] = { member = head .. index .. tail }
  end
end
for at = behind_runs, #ARGV, 5 do
  local entry = { member = ARGV[at], claim = ARGV[at + 1], kind = ARGV[at + 2], bytes = ARGV[at + 3], extra = ARGV[at + 4] }
  entries[#entries + 1] = entry
end
for i, entry in ipairs(entries) do
  if entry.claim ~= 'none' then
    members[#members + 1] = entry.member
    asked[#asked + 1] = i
  end
end
local held = {}
if #members > 0 then
  for i, answer in ipairs(redis.call('SMISMEMBER', KEYS[2], unpack(members))) do held[asked[i]] = answer end
end

local function holds(key, wanted)
  local kind = redis.call('TYPE', key).ok
  return kind == wanted or kind == 'none'
end
local fits = {}
local function target_fits(entry)
  local key, wanted = KEYS[3], 'zset'
  if entry.kind == 'dead' then key = KEYS[4] end
  if entry.kind == 'requeue' or entry.kind == 'yield' then key, wanted = ARGV[3] .. entry.extra, 'list' end
  if fits[key] == nil then fits[key] = holds(key, wanted) end
  return fits[key]
end

-- The same in recover and suspects.
local function mark_of(payload)
  if #payload > 65536 then
    payload = #payload .. string.sub(payload, 1, 32768) .. string.sub(payload, -32768)
  end
  return string.sub(redis.sha1hex(payload), 1, 20)
end
-- The same in suspects: of a big payload only the ends are read.
local function mark_at(key)
  local length = redis.pcall('STRLEN', key)
  if type(length) == 'table' then return nil end -- another type: it is no payload
  if length <= 65536 then
    local payload = redis.call('GET', key)
    return payload and mark_of(payload)
  end
  local ends = redis.call('GETRANGE', key, 0, 32767) .. redis.call('GETRANGE', key, -32768, -1)
  return string.sub(redis.sha1hex(length .. ends), 1, 20)
end
local has_counts = redis.call('TYPE', KEYS[6]).ok == 'hash' -- only after a recovery
local marks, kept_counts = {}, {}

local registered = redis.call('SISMEMBER', KEYS[1], ARGV[1])
local lost, blocked, ended, ended_keys, wanted = {}, {}, {}, {}, {}
for i, entry in ipairs(entries) do
  local is_free = held[i] == 0 and entry.claim == 'released' and registered == 1
  if held[i] == 0 and not is_free then
    lost[#lost + 1] = i - 1
  elseif entry.kind and not target_fits(entry) then
    blocked[#blocked + 1] = i - 1
  else
    if held[i] == 1 then
      ended[#ended + 1] = entry.member
      ended_keys[#ended_keys + 1] = ARGV[2] .. entry.member
      if has_counts and entry.kind ~= 'requeue' then
        local mark = mark_at(ARGV[2] .. entry.member)
        if mark then marks[#marks + 1] = mark end
        -- What yields has not ended: it goes on with other bytes (a new enqueued_at), and keeps its count.
        local noted = mark and entry.kind == 'yield' and redis.call('HGET', KEYS[6], mark)
        if noted then
          kept_counts[#kept_counts + 1] = mark_of(entry.bytes)
          kept_counts[#kept_counts + 1] = noted
        end
      end
    end
    if entry.kind then wanted[#wanted + 1] = entry end
  end
end
if #ended > 0 then
  redis.call('SREM', KEYS[2], unpack(ended))
  redis.call('DEL', unpack(ended_keys))
  if #marks > 0 then redis.call('HDEL', KEYS[6], unpack(marks)) end
  if #kept_counts > 0 then redis.call('HSET', KEYS[6], unpack(kept_counts)) end
elseif #wanted > 0 then
  redis.call('SREM', KEYS[2], '') -- nothing to end, but the first write must be one that a full Redis allows
end
if #wanted > 0 then
  local names_fit = holds(KEYS[5], 'set')
  local time = redis.call('TIME')
  local now = time[1] + time[2] / 1000000
  local retries, deaths, lines, backs = {}, {}, {}, {}
  for _, entry in ipairs(wanted) do
    if entry.kind == 'retry' then
      retries[#retries + 1] = string.format('%.6f', now + entry.extra)
      retries[#retries + 1] = entry.bytes
    elseif entry.kind == 'dead' then
      deaths[#deaths + 1] = string.format('%.6f', now)
      deaths[#deaths + 1] = entry.bytes
    else
      local ends = entry.kind == 'yield' and backs or lines
      local line = ends[entry.extra] or {}
      ends[entry.extra] = line
      line[#line + 1] = entry.bytes
    end
  end
  if #retries > 0 then redis.call('ZADD', KEYS[3], unpack(retries)) end
  if #deaths > 0 then
    redis.call('ZADD', KEYS[4], unpack(deaths))
    redis.call('ZREMRANGEBYSCORE', KEYS[4], '-inf', string.format('%.6f', now - ARGV[4]))
    redis.call('ZREMRANGEBYRANK', KEYS[4], 0, -1 - ARGV[5])
  end
  for ends, push in pairs({ [lines] = 'RPUSH', [backs] = 'LPUSH' }) do
    for name, line in pairs(ends) do
      if names_fit then redis.call('SADD', KEYS[5], name) end
      redis.call(push, ARGV[3] .. name, unpack(line))
    end
  end
end
return { registered, lost, blocked }
