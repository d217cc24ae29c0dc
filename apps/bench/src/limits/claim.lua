-- claim: the leanest claim that loses no job: one queue, no pause, no cancellation.
-- KEYS[1]  instances  SET
-- KEYS[2]  queue      LIST
-- KEYS[3]  claims     STRING, number of the last batch
-- KEYS[4]  jobs       SET of members
-- ARGV[1]  ID
-- ARGV[2]  what stands before a member in the key of its payload
-- ARGV[3]  limit
-- Returns  { batch, { payload, … } }; the i-th is the member ID.batch.i
if redis.call('SISMEMBER', KEYS[1], ARGV[1]) == 0 then return redis.error_reply('UNREGISTERED') end
local taken = redis.call('RPOP', KEYS[2], ARGV[3])
if not taken then return { 0, {} } end
local batch = redis.call('INCR', KEYS[3])
local members, payloads = {}, {}
for i, payload in ipairs(taken) do
  local member = ARGV[1] .. '.' .. batch .. '.' .. (i - 1)
  members[i] = member
  payloads[2 * i - 1] = ARGV[2] .. member
  payloads[2 * i] = payload
end
redis.call('SADD', KEYS[4], unpack(members))
redis.call('MSET', unpack(payloads))
return { batch, taken }
