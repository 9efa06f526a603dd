-- Claim a decision, unless it is claimed: then return the status that stands.
-- KEYS: 1 claim, 2 open decisions of its bucket. ARGV: 1 decision, 2 subscriber key, 3 claimer, 4 deadline, 5 TTL ms.
-- The claimer may ask again, for its reply may have been lost or too few replicas may have confirmed.
local held = redis.call('HMGET', KEYS[1], 'status', 'claimer')
if held[1] and not (held[1] == 'claimed' and held[2] == ARGV[3]) then
  return held[1]
end
redis.call('HSET', KEYS[1], 'status', 'claimed', 'claimer', ARGV[3], 'key', ARGV[2])
redis.call('PEXPIRE', KEYS[1], ARGV[5])
redis.call('ZADD', KEYS[2], ARGV[4], ARGV[1])
return ''
