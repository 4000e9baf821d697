-- KEYS: for each register: register, markers of writes in progress
-- ARGV: writer, then for each register: what to put there ('' for nothing), its time to live in ms
local writer = ARGV[1]
local puts, alone = false, true
for i = 1, #KEYS, 2 do
  if ARGV[i + 1] ~= '' then
    puts = true
    local register = redis.pcall('GET', KEYS[i])
    alone = alone and register == writer
  end
end
for i = 1, #KEYS, 2 do
  local register, markers = KEYS[i], KEYS[i + 1]
  redis.call('DEL', register)
  if puts and alone and ARGV[i + 1] ~= '' then
    redis.call('SET', register, ARGV[i + 1], 'PX', ARGV[i + 2])
  end
  redis.call('ZREM', markers, writer)
  -- The others' deadlines remain.
  local last = redis.call('ZRANGE', markers, -1, -1, 'WITHSCORES')
  if last[2] then redis.call('PEXPIREAT', markers, last[2]) end
end
return puts and alone and 1 or 0
