-- claim-known: takes up to N jobs of the classes that a process knows, and leaves all others where they stand, in their
-- order. As in claim.lua a job is noted as the instance's in the step that takes it (S1); a script of its own, so that the
-- plain claim costs what it did. Payloads are looked at as text: what stands behind a "class" anywhere in them, in args
-- too. So a payload may be taken whose own class is another; the process, which parses, gives it back.
-- KEYS[1]  instances   SET: who is not in it was declared dead and may claim nothing
-- KEYS[2]  claims:ID   STRING, number of the instance's last batch
-- KEYS[3]  jobs:ID     SET of members
-- KEYS[4]  cancelled   ZSET of jids
-- KEYS[5]  paused      SET of queue names
-- KEYS[6…] the queues' lists, in the order in which they are asked
-- ARGV[1]  ID
-- ARGV[2]  what stands before a member in the key of its payload
-- ARGV[3]  limit       1 to 500
-- ARGV[4]  lastBatch   as in claim.lua
-- ARGV[5]  look_past   so many jobs of other classes are looked past, in each queue
-- ARGV[6]  n, then n class names as JSON strings, with their quotes
-- then     m, then m SHA-1s, in hex, of payloads that look like ours and are not: they are left too
-- then     the queues' names, in the order of KEYS[6…]
-- Returns  'unregistered'; or { batch, { position of each queue that was passed over because it is paused },
--          { position of each whose key holds no list }, 1 when there are cancellations, else 0, { position of each where jobs of other classes stand in front },
--          { position of each where what stands behind those was not looked at }, { position, payload, … } for each queue
--          that gave some }. Positions count from 0. The i-th payload of the whole reply, from 0, is the member
--          ID.batch.i@queue.
-- Order    What can fail comes before the first write. The first write is RPOP or LREM, which a full Redis allows.
if redis.call('SISMEMBER', KEYS[1], ARGV[1]) == 0 then return 'unregistered' end
redis.call('SCARD', KEYS[3])
local count = redis.call('GET', KEYS[2]) or '0'
if not string.match(count, '^%d+$') or #count > 15 then -- what INCRBY would refuse, after a job was taken
  return redis.error_reply('WRONGTYPE ' .. KEYS[2] .. ' does not hold a number')
end
local left, look_past = tonumber(ARGV[3]), tonumber(ARGV[5])
-- Payloads of more bytes than this are not looked through at one call: it would hold up everybody.
local enough_bytes = 4194304
local longest_slice = 512

local at = 6
local function set_of_arguments()
  local set, last = {}, at + ARGV[at]
  for i = at + 1, last do set[ARGV[i]] = true end
  at = last + 1
  return set
end
local known, mistaken = set_of_arguments(), set_of_arguments()
local paused = redis.call('SMISMEMBER', KEYS[5], unpack(ARGV, at))
local to_next_batch = math.max(1, ARGV[4] - count + 1)

local function is_ours(payload)
  local from = 1
  while true do
    local _, stop = string.find(payload, '"class"', from, true)
    if not stop then return false end
    local name = string.match(payload, '^%s*:%s*("[^"]*")', stop + 1)
    if name and known[name] then return next(mistaken) == nil or not mistaken[redis.sha1hex(payload)] end
    from = stop + 1
  end
end

-- From the next to be fetched on: ours, how many of them come before the first of another class, how many of those there
-- are, and whether there is more behind. nil when the key holds no list.
local function look(key)
  local ours, in_front, others, seen, bytes, slice_length = {}, 0, 0, 0, 0, left
  while true do
    local slice = redis.pcall('LRANGE', key, -seen - slice_length, -seen - 1)
    if slice.err then return nil end
    for i = #slice, 1, -1 do
      seen = seen + 1
      bytes = bytes + #slice[i]
      if is_ours(slice[i]) then
        ours[#ours + 1] = slice[i]
        if others == 0 then in_front = in_front + 1 end
      else
        others = others + 1
      end
      if #ours == left or others == look_past or bytes > enough_bytes then return ours, in_front, others, true end
    end
    if #slice < slice_length then return ours, in_front, others, false end
    slice_length = math.min(longest_slice, 2 * slice_length, math.ceil((enough_bytes - bytes + 1) * seen / (bytes + 1)))
  end
end

local batch, index = nil, 0
local reply = { 0, {}, {}, redis.call('EXISTS', KEYS[4]), {}, {} }
for position = 1, #paused do
  if left == 0 then break end
  local name, key = ARGV[at + position - 1], KEYS[5 + position]
  if paused[position] == 1 then
    table.insert(reply[2], position - 1)
  else
    local taken, in_front, others, has_more = look(key)
    if not taken then
      table.insert(reply[3], position - 1)
    else
      if others > 0 then table.insert(reply[5], position - 1) end
      if others > 0 and has_more and #taken < left then table.insert(reply[6], position - 1) end
    end
    if taken and #taken > 0 then
      if in_front > 0 then redis.call('RPOP', key, in_front) end
      for i = in_front + 1, #taken do redis.call('LREM', key, -1, taken[i]) end
      batch = batch or string.format('%.0f', redis.call('INCRBY', KEYS[2], to_next_batch))
      local members, payloads = {}, {}
      for i, payload in ipairs(taken) do
        local member = ARGV[1] .. '.' .. batch .. '.' .. index .. '@' .. name
        index = index + 1
        members[i] = member
        payloads[2 * i - 1] = ARGV[2] .. member
        payloads[2 * i] = payload
      end
      redis.call('SADD', KEYS[3], unpack(members))
      redis.call('MSET', unpack(payloads))
      left = left - #taken
      table.insert(taken, 1, position - 1)
      table.insert(reply, taken)
    end
  end
end
if batch then reply[1] = tonumber(batch) end
return reply
