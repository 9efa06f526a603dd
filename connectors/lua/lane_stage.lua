-- Lay down a part of a commit that is too large for one script; nothing of it is true before the commit.
-- KEYS: ctl, stage. ARGV: token expected, '1' for the first part, then (field, value) pairs; fields begin with
-- g (state that ends), s (state), w (wake-up), p (published entry), o (new entry).
-- Returns 'ok', or the token that stands.
local token = redis.call('HGET', KEYS[1], 'token') or ''
if token ~= ARGV[1] then return token end
if ARGV[2] == '1' then redis.call('DEL', KEYS[2]) end
for i = 3, #ARGV, 2 do redis.call('HSET', KEYS[2], ARGV[i], ARGV[i + 1]) end
return 'ok'
