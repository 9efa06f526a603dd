-- Lay down a part of a commit that is too large for one script; nothing of it is true before the commit.
-- KEYS: ctl, the stage of this commit (its name has the token that the commit will bring: no other commit, of a
-- zombie or of a new owner, can get into it). ARGV: token expected, TTL ms of a stage that nobody commits, then
-- (field, value) pairs; fields begin with g (state that ends), s (state), w (wake-up), p (published entry), o
-- (new entry). Returns 'ok', or the token that stands.
local token = redis.call('HGET', KEYS[1], 'token') or ''
if token ~= ARGV[1] then return token end
for i = 3, #ARGV, 2 do redis.call('HSET', KEYS[2], ARGV[i], ARGV[i + 1]) end
redis.call('PEXPIRE', KEYS[2], ARGV[2])
return 'ok'
