-- condemn: ends the heartbeat of an instance whose process was seen to be gone, so that recovery need not wait for its TTL. It
-- declares nobody dead: recover does that, and until then a beat of the instance renews its heartbeat, as one that comes late.
-- A script, because an instance that has beaten since it was first missed lives (S4), and because the same look at the
-- heartbeat must end it.
-- KEYS[1]  instance:ID  STRING, the time of the last beat
-- KEYS[2]  lapses       HASH: while it is there, nobody is declared dead before all had their TTL to come back
-- ARGV[1]  the heartbeat as it was before its connections were first missed; '' for none
-- Returns  'condemned'; 'alive': it has beaten since; 'spared': the fleet has lapsed as a whole. Nothing was written then.
-- Order    What can fail comes before the first write. The first write is DEL, which a full Redis allows.
if redis.call('EXISTS', KEYS[2]) == 1 then return 'spared' end
local beat = redis.call('GET', KEYS[1])
if beat and beat ~= ARGV[1] then return 'alive' end
redis.call('DEL', KEYS[1])
return 'condemned'
