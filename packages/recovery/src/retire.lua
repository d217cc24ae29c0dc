-- retire: an instance ends of its own will, and nobody shall wait for its TTL. A script, because "it holds nothing" and "it is
-- gone" must be one step: a claim between them would be held by an instance that nobody looks for. May be sent again.
-- KEYS[1]  instances    SET
-- KEYS[2]  instance:ID  STRING
-- KEYS[3]  jobs:ID      SET of members
-- KEYS[4]  claims:ID    STRING
-- KEYS[5]  suspect:ID   STRING
-- KEYS[6]  sightings    HASH, as the next four what the living note of each other: the last one takes them along
-- KEYS[7]  lapses       HASH
-- KEYS[8]  watch        STRING
-- KEYS[9]  last_pass    HASH
-- KEYS[10] recovered    LIST
-- KEYS[11] vitals:ID    HASH
-- ARGV[1]  ID
-- Returns  'gone': it held nothing, and no key of it is left; 'left': it holds claims still, and looks dead from now on, so
--          that the others put them back at once.
-- Order    What can fail comes before the first write. The first write is SREM or DEL, which a full Redis allows.
if redis.call('SCARD', KEYS[3]) > 0 then
  redis.call('DEL', KEYS[2], KEYS[11])
  return 'left'
end
redis.call('SREM', KEYS[1], ARGV[1])
redis.call('DEL', KEYS[2], KEYS[4], KEYS[5], KEYS[11])
if redis.call('EXISTS', KEYS[1]) == 0 then redis.call('DEL', KEYS[6], KEYS[7], KEYS[8], KEYS[9], KEYS[10]) end
return 'gone'
