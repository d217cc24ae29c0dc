-- claim: takes up to N jobs for one instance, and notes them as its own in the same step, so that a job is at no moment
-- neither in its queue nor in somebody's claims (S1). A script, because a pop and its note can't be two commands.
-- KEYS[1]  instances   SET: who is not in it was declared dead and may claim nothing
-- KEYS[2]  claims:ID   STRING, number of the instance's last batch
-- KEYS[3]  jobs:ID     SET of members
-- KEYS[4]  cancelled   ZSET of jids
-- KEYS[5]  paused      SET of queue names
-- KEYS[6…] the queues' lists, in the order in which they are asked
-- ARGV[1]  ID
-- ARGV[2]  what stands before a member in the key of its payload
-- ARGV[3]  limit       1 to 500
-- ARGV[4]  lastBatch   the highest batch number of ID that the process knows, 0 for none. A Redis that lost its last writes may
--          count from below it, and no member may come twice: the end of the older claim would end the newer one.
-- ARGV[5…] the queues' names, in the order of KEYS[6…]
-- Returns  'unregistered'; or { batch, { position of each queue that was passed over because it is paused },
--          { position of each whose key holds no list }, 1 when there are cancellations, else 0,
--          { position, payload, … } for each queue that gave some }. Positions count from 0. The i-th payload of the whole
--          reply, from 0, is the member ID.batch.i@queue.
-- Order    What can fail comes before the first write. The first write is RPOP, which a full Redis allows.
if redis.call('SISMEMBER', KEYS[1], ARGV[1]) == 0 then return 'unregistered' end
redis.call('SCARD', KEYS[3])
local count = redis.call('GET', KEYS[2]) or '0'
if not string.match(count, '^%d+$') or #count > 15 then -- what INCRBY would refuse, after the pop
  return redis.error_reply('WRONGTYPE ' .. KEYS[2] .. ' does not hold a number')
end
local paused = redis.call('SMISMEMBER', KEYS[5], unpack(ARGV, 5))
local to_next_batch = math.max(1, ARGV[4] - count + 1)

local left = tonumber(ARGV[3])
local batch, index = nil, 0
local reply = { 0, {}, {}, redis.call('EXISTS', KEYS[4]) }
for position = 1, #paused do
  if left == 0 then break end
  local name = ARGV[4 + position]
  if paused[position] == 1 then
    table.insert(reply[2], position - 1)
  else
    local taken = redis.pcall('RPOP', KEYS[5 + position], left)
    if taken and taken.err then
      -- A replica refuses each write: that is no fault of this queue's.
      if not batch and not string.find(taken.err, 'WRONGTYPE', 1, true) then return taken end
      table.insert(reply[3], position - 1)
    elseif taken then
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
