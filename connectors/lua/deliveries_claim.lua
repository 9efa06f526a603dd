-- Claim a decision, unless it is claimed: then return the status that stands.
-- KEYS: 1 claim, 2 open decisions of its bucket.
-- ARGV: 1 decision, 2 subscriber key, 3 claimer, 4 deadline, 5 TTL ms, 6 turn of the claimer.
-- The claimer may ask again, for its reply may have been lost or too few replicas may have confirmed. That another
-- met the claim is noted: it leaves the decision to the ledger from then on.
local held = redis.call('HMGET', KEYS[1], 'status', 'claimer', 'turn')
if held[1] and not (held[1] == 'claimed' and held[2] == ARGV[3]) then
  if held[1] == 'claimed' then
    redis.call('HSET', KEYS[1], 'met', '1')
  end
  return held[1]
end
-- a call that comes late, after a later one, must not make an old release fit again
local turn = math.max(tonumber(ARGV[6]), tonumber(held[3] or '0'))
redis.call('HSET', KEYS[1], 'status', 'claimed', 'claimer', ARGV[3], 'key', ARGV[2], 'turn', turn)
redis.call('PEXPIRE', KEYS[1], ARGV[5])
redis.call('ZADD', KEYS[2], ARGV[4], ARGV[1])
return ''
