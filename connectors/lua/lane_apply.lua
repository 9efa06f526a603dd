-- Carry out a part of what a committed stage holds. Done twice it does no harm; what the stage holds of one key
-- is at most one change of each kind, and ends come before states, prunes before new entries.
-- KEYS: ctl, wake, out, stage, then the states of ARGV's subscribers (in their order).
-- ARGV: token expected, then fields of the stage. Returns 'ok', or the token that stands.
local token = redis.call('HGET', KEYS[1], 'token') or ''
if token ~= ARGV[1] then return token end
local wake, out, stage = KEYS[2], KEYS[3], KEYS[4]
local key = 4
for i = 2, #ARGV do
    local field = ARGV[i]
    local kind, name = string.sub(field, 1, 1), string.sub(field, 2)
    local value = redis.call('HGET', stage, field)
    if kind == 'g' or kind == 's' then key = key + 1 end
    if value then
        if kind == 'g' then
            redis.call('DEL', KEYS[key])
            redis.call('ZREM', wake, name)
        elseif kind == 's' then redis.call('SET', KEYS[key], value)
        elseif kind == 'w' then redis.call('ZADD', wake, value, name)
        elseif kind == 'p' then redis.call('HDEL', out, name)
        else redis.call('HSET', out, name, value) end
        redis.call('HDEL', stage, field)
    end
end
if redis.call('EXISTS', stage) == 0 then redis.call('HDEL', KEYS[1], 'staged') end
return 'ok'
