-- settle: the leanest end of claims that stay fenced.
-- KEYS[1]  jobs  SET of members
-- ARGV[1]  ID
-- ARGV[2]  what stands before a member in the key of its payload
-- ARGV     from the third on: batch, index; two for each member
-- Returns  how many were held
local members = {}
for at = 3, #ARGV, 2 do members[#members + 1] = ARGV[1] .. '.' .. ARGV[at] .. '.' .. ARGV[at + 1] end
local ended, payloads = {}, {}
for i, held in ipairs(redis.call('SMISMEMBER', KEYS[1], unpack(members))) do
  if held == 1 then
    ended[#ended + 1] = members[i]
    payloads[#payloads + 1] = ARGV[2] .. members[i]
  end
end
if #ended > 0 then
  redis.call('SREM', KEYS[1], unpack(ended))
  redis.call('DEL', unpack(payloads))
end
return #ended
