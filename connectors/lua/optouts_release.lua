-- Take opt-outs of one bucket back that are not newer than the time given.
-- KEYS: 1 bucket. ARGV: name, time, name, time, ...
for i = 1, #ARGV, 2 do
  local known = redis.call('HGET', KEYS[1], ARGV[i])
  if known and tonumber(known) <= tonumber(ARGV[i + 1]) then
    redis.call('HDEL', KEYS[1], ARGV[i])
  end
end
return #ARGV / 2
