-- recover-gem: puts back jobs that a dead instance of the tracker gem held. The gem names a job by its jid and notes no queue, so
-- the caller has read each payload, and says where it belongs. A script, because "it is dead", "the gem tracks it no more" and
-- "it is in its queue again" must be one step: of several who do this at once, each orphan is put back once (S3).
-- KEYS[1]  instances       SET of tsq's own ids, as the next
-- KEYS[2]  instances:dead  SET
-- KEYS[3]  instance:ID     STRING: while it is there, the instance lives
-- KEYS[4]  jobs:ID         SET of jids
-- KEYS[5]  queues          SET of queue names
-- KEYS[6]  dead            ZSET
-- KEYS[7]  recoveries      HASH, mark of a payload -> the seconds at which it was recovered
-- KEYS[8…] jobs:OTHER      SETs of jids of the gem's other instances: what one of them has too is theirs
-- ARGV[1]  ID
-- ARGV[2]  what stands before a jid in the key of its payload
-- ARGV[3]  what stands before a queue's name in the key of its list
-- ARGV[4]  'next': they are fetched before what waits in the queue; 'last': behind it
-- ARGV[5]  poisonLimit     so many recoveries of one job; with the next it is poison
-- ARGV[6]  windowSeconds   recoveries that are older do not count
-- ARGV[7]  deadTimeoutSeconds   entries older than this leave the dead set when one joins it
-- ARGV[8]  deadMaxJobs     and only so many of the youngest stay
-- then     four for each job: jid; 'queue' or 'dead'; the queue's name, '' for dead; SHA-1 of the payload that was read, '' when
--          there was none
-- Returns  'alive': its heartbeat is there; 'own': it is no instance of the gem. Nothing was written then. Else { number of jobs
--          put back in queues, { jid that went to dead, … }, { jid without a payload, … }, { what keeps jobs, … }, number that
--          ended here, { jid, payload, seconds of its recoveries, … for each that is poison } }. A job whose payload changed since
--          it was read is left for the next call, as poison is until it is buried.
-- Counts   Each recovery counts: the gem does not say which of its jobs it had started last.
-- Order    What can fail comes before the first write. The first write is SREM, which a full Redis allows.
local id, goes_next = ARGV[1], ARGV[4] == 'next'
if redis.call('EXISTS', KEYS[3]) == 1 then return 'alive' end
if redis.call('SISMEMBER', KEYS[1], id) == 1 or redis.call('SISMEMBER', KEYS[2], id) == 1 then return 'own' end
redis.call('SCARD', KEYS[4]) -- raises WRONGTYPE

local function holds(key, wanted)
  local kind = redis.call('TYPE', key).ok
  return kind == wanted or kind == 'none'
end
local others = {}
for at = 8, #KEYS do
  if holds(KEYS[at], 'set') then others[#others + 1] = KEYS[at] end
end
local function is_anothers(jid)
  for _, key in ipairs(others) do
    if redis.call('SISMEMBER', key, jid) == 1 then return true end
  end
  return false
end

-- The same in recover, settle and suspects.
local function mark_of(payload)
  if #payload > 65536 then
    payload = #payload .. string.sub(payload, 1, 32768) .. string.sub(payload, -32768)
  end
  return string.sub(redis.sha1hex(payload), 1, 20)
end
local counts_fit = holds(KEYS[7], 'hash')
local poison_limit, window = tonumber(ARGV[5]), tonumber(ARGV[6])
local time = redis.call('TIME')
local now = time[1] + time[2] / 1000000
local function recent(noted)
  local seconds = {}
  for second in string.gmatch(noted or '', '%d+') do
    if now - second < window then seconds[#seconds + 1] = second end
  end
  return seconds
end
local counts = {}
-- Notes one more recovery. Answers the seconds of the earlier ones when the job is poison.
local function count(payload)
  if not counts_fit then return nil end
  local mark = mark_of(payload)
  local seconds = recent(counts[mark] or redis.call('HGET', KEYS[7], mark))
  if #seconds >= poison_limit then return table.concat(seconds, ' ') end
  seconds[#seconds + 1] = time[1]
  counts[mark] = table.concat(seconds, ' ')
  return nil
end

local names_fit, fits = holds(KEYS[5], 'set'), { [KEYS[6]] = holds(KEYS[6], 'zset') }
local recovered, buried, missing, kept, poison, seen = 0, {}, {}, {}, {}, {}
local ended, ended_keys, names, lines, deaths = {}, {}, {}, {}, {}
local function ends(jid, payload_key)
  ended[#ended + 1] = jid
  if payload_key then ended_keys[#ended_keys + 1] = payload_key end
end
local function put_back(jid, payload_key, name, payload)
  local line = lines[name]
  if not line then
    line = {}
    lines[name] = line
    names[#names + 1] = name
  end
  line[#line + 1] = payload
  recovered = recovered + 1
  ends(jid, payload_key)
end
for at = 9, #ARGV, 4 do
  local jid, place, name, digest = ARGV[at], ARGV[at + 1], ARGV[at + 2], ARGV[at + 3]
  local payload_key = ARGV[2] .. jid
  local target = place == 'dead' and KEYS[6] or ARGV[3] .. name
  if fits[target] == nil then fits[target] = holds(target, 'list') end
  local is_held = not seen[jid] and redis.call('SISMEMBER', KEYS[4], jid) == 1
  seen[jid] = true
  local payload = is_held and holds(payload_key, 'string') and redis.call('GET', payload_key)
  if not is_held then
    seen[jid] = true -- somebody was faster
  elseif is_anothers(jid) then
    ends(jid) -- and its payload stays the other's
  elseif not payload then
    if digest == '' then
      missing[#missing + 1] = jid
      ends(jid)
    end
  elseif digest == redis.sha1hex(payload) then
    if not fits[target] then
      kept[#kept + 1] = target
    elseif place == 'dead' then
      deaths[#deaths + 1] = string.format('%.6f', now)
      deaths[#deaths + 1] = payload
      buried[#buried + 1] = jid
      ends(jid, payload_key)
    else
      local seconds = count(payload)
      if seconds then
        for _, value in ipairs({ jid, payload, seconds }) do poison[#poison + 1] = value end
      else
        put_back(jid, payload_key, name, payload)
      end
    end
  end
end

if #ended > 0 then redis.call('SREM', KEYS[4], unpack(ended)) end
if #ended_keys > 0 then redis.call('DEL', unpack(ended_keys)) end
for _, name in ipairs(names) do redis.call(goes_next and 'RPUSH' or 'LPUSH', ARGV[3] .. name, unpack(lines[name])) end
if names_fit and #names > 0 then redis.call('SADD', KEYS[5], unpack(names)) end
if #deaths > 0 then
  redis.call('ZADD', KEYS[6], unpack(deaths))
  redis.call('ZREMRANGEBYSCORE', KEYS[6], '-inf', string.format('%.6f', now - ARGV[7]))
  redis.call('ZREMRANGEBYRANK', KEYS[6], 0, -1 - ARGV[8])
end
if next(counts) then
  for mark, seconds in pairs(counts) do redis.call('HSET', KEYS[7], mark, seconds) end
  redis.call('EXPIRE', KEYS[7], window)
end
return { recovered, buried, missing, kept, #ended, poison }
