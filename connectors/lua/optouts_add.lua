-- Add opt-outs of one bucket; of two times of one name the later stands.
-- KEYS: 1 bucket. ARGV: name, time, name, time, ... (µs: a double holds them exactly)
for i = 1, #ARGV, 2 do
  local known = redis.call('HGET', KEYS[1], ARGV[i])
  if not known or tonumber(known) < tonumber(ARGV[i + 1]) then
    redis.call('HSET', KEYS[1], ARGV[i], ARGV[i + 1])
  end
end
return #ARGV / 2
