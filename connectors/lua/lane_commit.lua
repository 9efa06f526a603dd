-- One commit of a partition: everything in it becomes true together, or nothing does.
-- KEYS: ctl, wake, out, then the states that end, then the states that are written; of a staged commit: the stage.
-- ARGV: token expected, next token, offset, lane, offers_at, floor, staged ('1': the rest waits in the stage),
--       numbers of: ended states, written states, wake-ups, published entries, new entries;
--       then subscriber keys that end, blobs, (subscriber key, score) pairs, names, (name, payload) pairs.
-- Returns 'ok', or the token that stands; 'no stage' if that has lapsed.
local ctl, wake, out = KEYS[1], KEYS[2], KEYS[3]
local token = redis.call('HGET', ctl, 'token') or ''
if token ~= ARGV[1] then return token end
local gone, states = tonumber(ARGV[8]), tonumber(ARGV[9])
local wakes, published, entries = tonumber(ARGV[10]), tonumber(ARGV[11]), tonumber(ARGV[12])
if ARGV[7] == '1' then
    -- from now on it must be carried out, however long that takes to begin
    if redis.call('EXISTS', KEYS[4]) == 0 then return 'no stage' end
    redis.call('PERSIST', KEYS[4])
end
redis.call('HSET', ctl, 'token', ARGV[2], 'offset', ARGV[3], 'lane', ARGV[4], 'offers_at', ARGV[5],
    'floor', ARGV[6])
if ARGV[7] == '1' then redis.call('HSET', ctl, 'staged', '1') end
local key, arg = 3, 12
for i = 1, gone do
    redis.call('DEL', KEYS[key + i])
    redis.call('ZREM', wake, ARGV[arg + i])
end
key, arg = key + gone, arg + gone
for i = 1, states do redis.call('SET', KEYS[key + i], ARGV[arg + i]) end
arg = arg + states
for i = 1, wakes do redis.call('ZADD', wake, ARGV[arg + 2 * i], ARGV[arg + 2 * i - 1]) end
arg = arg + 2 * wakes
for i = 1, published do redis.call('HDEL', out, ARGV[arg + i]) end
arg = arg + published
for i = 1, entries do redis.call('HSET', out, ARGV[arg + 2 * i - 1], ARGV[arg + 2 * i]) end
return 'ok'
