-- suspects: which claims of an instance are jobs that were recovered so often that one of them may kill its process. Sent with
-- each claim, behind it, so that nothing comes between; it costs one EXISTS unless a job was recovered of late.
-- KEYS[1]  recoveries  HASH, mark of a payload -> the seconds at which it was recovered
-- KEYS[2]  jobs:ID     SET of members
-- ARGV[1]  what stands before a member in the key of its payload
-- ARGV[2]  windowSeconds  recoveries that are older do not count
-- ARGV[3]  afterBatch  claims of this batch and of those before it were looked at; 0: none were
-- Returns  { member of each suspect, … }. Nothing is written.
if redis.call('EXISTS', KEYS[1]) == 0 then return {} end
-- How often a job is recovered before it is a suspect: the same in recover.
local suspect_from = 2
local window, after_batch, now = tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(redis.call('TIME')[1])

-- The same in recover and settle.
local function mark_of(payload)
  if #payload > 65536 then
    payload = #payload .. string.sub(payload, 1, 32768) .. string.sub(payload, -32768)
  end
  return string.sub(redis.sha1hex(payload), 1, 20)
end
-- The same in settle: of a big payload only the ends are read.
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

local suspects = {}
for _, member in ipairs(redis.call('SMEMBERS', KEYS[2])) do
  local batch = tonumber(string.match(member, '%.(%d+)%.%d+@'))
  if not batch or batch > after_batch then
    local mark = mark_at(ARGV[1] .. member)
    local noted = mark and redis.call('HGET', KEYS[1], mark)
    local count = 0
    for second in string.gmatch(noted or '', '%d+') do
      if now - second < window then count = count + 1 end
    end
    if count >= suspect_from then suspects[#suspects + 1] = member end
  end
end
return suspects
