-- Give back a claim under which nothing was sent: anybody may claim the decision anew. Return 1 if it was given back.
-- KEYS: 1 claim, 2 open decisions of its bucket. ARGV: 1 decision, 2 claimer, 3 turn.
-- Only what this very turn has claimed: a release that comes late must not take the claim of a later turn, under
-- which something may be on its way. And not if another has met the claim: nobody would end the decision then.
local held = redis.call('HMGET', KEYS[1], 'status', 'claimer', 'turn', 'met')
if held[1] ~= 'claimed' or held[2] ~= ARGV[2] or held[3] ~= ARGV[3] or held[4] then
  return 0
end
redis.call('HDEL', KEYS[1], 'status', 'claimer', 'key', 'turn')
redis.call('ZREM', KEYS[2], ARGV[1])
return 1
