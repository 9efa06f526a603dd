-- Remove some states of a partition. KEYS: ctl, wake, states. ARGV: token expected, their subscriber keys.
-- Returns 'ok', or the token that stands.
local token = redis.call('HGET', KEYS[1], 'token') or ''
if token ~= ARGV[1] then return token end
for i = 2, #ARGV do
    redis.call('DEL', KEYS[i + 1])
    redis.call('ZREM', KEYS[2], ARGV[i])
end
return 'ok'
