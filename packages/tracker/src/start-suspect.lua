-- start-suspect: notes that an instance is about to start a suspect, for whoever finds it dead. A script, because only a claim
-- that is held may be started, and because a plain SET is refused by a full Redis. May be sent again.
-- KEYS[1]  jobs:ID     SET of members
-- KEYS[2]  suspect:ID  STRING, the member of the suspect that the instance has started last
-- ARGV[1]  member
-- Returns  'started'; 'lost': it is not held any more, nothing was written
-- Order    What can fail comes before the first write. The first write is DEL, which a full Redis allows.
if redis.call('SISMEMBER', KEYS[1], ARGV[1]) == 0 then return 'lost' end
redis.call('DEL', KEYS[2])
redis.call('SET', KEYS[2], ARGV[1])
return 'started'
