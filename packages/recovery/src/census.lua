-- census: who of the fleet has no heartbeat, and who of those may be declared dead. A script, because it is one look at all:
-- when more than half of the fleet lapse at one look, it is rather Redis that lost the heartbeats (its clock was set, somebody
-- deleted them) or the network than that many deaths, and all of them get one TTL to come back (S4).
-- KEYS[1]  instances       SET of the ids that are registered
-- KEYS[2]  instances:dead  SET of the ids that were declared dead and still hold claims
-- KEYS[3]  lapses          HASH, id -> second: who has no heartbeat since a look at which more than half had none
-- ARGV[1]  what stands before an id in the key of its heartbeat
-- ARGV[2]  ttlMs           integer: what those get to come back
-- ARGV[3]  own             the id that asks: one of the fleet, registered or not, for it lives
-- Returns  { { id that may be declared dead, or was and holds claims still, … }, number that were granted a TTL by this look,
--          number that wait for theirs to pass }. Nobody is declared here: recover looks again, and declares.
-- Order    What can fail comes before the first write. The first write is HDEL, which a full Redis allows.
local prefix, ttl, own = ARGV[1], ARGV[2] / 1000, ARGV[3]
local registered, declared = redis.call('SMEMBERS', KEYS[1]), redis.call('SMEMBERS', KEYS[2])
local pairs_of_lapses = redis.call('HGETALL', KEYS[3])
local time = redis.call('TIME')
local now = time[1] + time[2] / 1000000

local lapsed, is_lapsed, fleet = {}, {}, #registered
for _, id in ipairs(registered) do
  if redis.call('EXISTS', prefix .. id) == 0 then
    lapsed[#lapsed + 1] = id
    is_lapsed[id] = true
  end
end
if redis.call('SISMEMBER', KEYS[1], own) == 0 then fleet = fleet + 1 end
local is_mass = #lapsed * 2 > fleet

local since, back = {}, {}
for i = 1, #pairs_of_lapses, 2 do
  local id = pairs_of_lapses[i]
  if is_lapsed[id] then since[id] = tonumber(pairs_of_lapses[i + 1]) else back[#back + 1] = id end
end
local dead, granted, waiting = {}, {}, 0
for _, id in ipairs(declared) do
  if id ~= own and redis.call('EXISTS', prefix .. id) == 0 then dead[#dead + 1] = id end
end
for _, id in ipairs(lapsed) do
  if since[id] == nil and is_mass then
    granted[#granted + 1] = id
  elseif since[id] and now - since[id] < ttl then
    waiting = waiting + 1
  elseif id ~= own then
    dead[#dead + 1] = id
  end
end

redis.call('HDEL', KEYS[3], '')
for _, id in ipairs(back) do redis.call('HDEL', KEYS[3], id) end
for _, id in ipairs(granted) do redis.call('HSET', KEYS[3], id, string.format('%.6f', now)) end
return { dead, #granted, waiting }
