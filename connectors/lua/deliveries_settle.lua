-- Write how a claimed decision stands; the first end wins. Return 1 if this was written.
-- KEYS: 1 claim, 2 open decisions of its bucket. ARGV: 1 decision, 2 status, 3 '1' = final, 4 deadline or '0'.
local held = redis.call('HMGET', KEYS[1], 'status', 'ended')
if not held[1] or held[2] then
  redis.call('ZREM', KEYS[2], ARGV[1])
  return 0
end
redis.call('HSET', KEYS[1], 'status', ARGV[2])
if ARGV[3] == '1' then
  redis.call('HSET', KEYS[1], 'ended', '1')
  redis.call('ZREM', KEYS[2], ARGV[1])
elseif ARGV[4] ~= '0' then
  redis.call('ZADD', KEYS[2], ARGV[4], ARGV[1])
end
return 1
