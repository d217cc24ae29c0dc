-- inspect: one look at the fleet for who operates it: who is registered or declared dead, how old each heartbeat is, and how
-- many claims each holds. A script, because it must be one moment: an instance that is declared dead between two questions
-- would stand in both sets, or in none; and because ages are told by Redis' clock (S6). Writes nothing.
-- KEYS[1]  instances       SET of the ids that are registered
-- KEYS[2]  instances:dead  SET of the ids that were declared dead and still hold claims
-- KEYS[3]  lapses          HASH, id -> second: who has no heartbeat since a look at which more than half had none
-- KEYS[4]  recovery_lock   STRING, the id of the instance that recovers at present; expires
-- KEYS[5]  watch           STRING, the id of the instance that looked last at the fleet's connections; expires
-- ARGV[1]  what stands before an id in the key of its heartbeat
-- ARGV[2]  what stands before an id in the key of its claims
-- Returns  { second, with six decimals; holder of the lock or ''; ms until the lock expires; holder of the watch or '';
--          { id, 'registered' or 'dead', second of its last beat or '', ms until that expires, number of claims, second of its
--          lapse or '', … for each instance } }. A key of another type reads as an absent one, its claims as -1: who looks
--          for what is broken must see the rest.
local registered, declared = redis.call('SMEMBERS', KEYS[1]), redis.call('SMEMBERS', KEYS[2])
local time = redis.call('TIME')

local ids, standings, is_registered = {}, {}, {}
for _, id in ipairs(registered) do
  is_registered[id] = true
  ids[#ids + 1], standings[#standings + 1] = id, 'registered'
end
for _, id in ipairs(declared) do
  if not is_registered[id] then ids[#ids + 1], standings[#standings + 1] = id, 'dead' end
end

local function text(reply)
  return type(reply) == 'string' and reply or ''
end
local lapses = {}
local pairs_of_lapses = redis.pcall('HGETALL', KEYS[3])
for at = 1, #pairs_of_lapses, 2 do lapses[pairs_of_lapses[at]] = pairs_of_lapses[at + 1] end

local fleet = {}
local slice = 1000
for start = 1, #ids, slice do
  local beat_keys = {}
  for at = start, math.min(start + slice - 1, #ids) do beat_keys[#beat_keys + 1] = ARGV[1] .. ids[at] end
  for offset, beat in ipairs(redis.call('MGET', unpack(beat_keys))) do
    local at = start + offset - 1
    local claims = redis.pcall('SCARD', ARGV[2] .. ids[at])
    local left = beat and redis.call('PTTL', beat_keys[offset]) or -2
    local facts = { ids[at], standings[at], text(beat), left, type(claims) == 'number' and claims or -1, lapses[ids[at]] or '' }
    for _, fact in ipairs(facts) do fleet[#fleet + 1] = fact end
  end
end

return {
  string.format('%d.%06d', time[1], time[2]),
  text(redis.pcall('GET', KEYS[4])),
  redis.call('PTTL', KEYS[4]),
  text(redis.pcall('GET', KEYS[5])),
  fleet,
}
