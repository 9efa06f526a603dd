-- Write the number of a pass over a partition, unless less is known than is expected: this is an older copy then.
-- KEYS: 1 the hash of all partitions. ARGV: 1 partition, 2 expected at least, 3 number. Return 1 if it stands.
local known = tonumber(redis.call('HGET', KEYS[1], ARGV[1]) or '0')
if known < tonumber(ARGV[2]) then
  return 0
end
if tonumber(ARGV[3]) > known then
  redis.call('HSET', KEYS[1], ARGV[1], ARGV[3])
end
return 1
