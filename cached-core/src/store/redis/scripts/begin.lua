-- KEYS: for each register: register, markers of writes in progress
-- ARGV: writer, marker time in ms, '1' if the writer is to put a value at the end
local writer, time = ARGV[1], tonumber(ARGV[2])
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
for i = 1, #KEYS, 2 do
  local register, markers = KEYS[i], KEYS[i + 1]
  -- First a command that a server without memory takes: it then takes the rest as well.
  redis.call('ZREMRANGEBYSCORE', markers, '-inf', now)
  if redis.call('ZSCORE', markers, writer) then
    -- Again, to extend. Another data type is nobody's token.
    if redis.pcall('GET', register) == writer then redis.call('PEXPIRE', register, time) end
  else
    redis.call('DEL', register)
    -- Whoever writes from here on removes the token, and with it the right to put.
    if ARGV[3] == '1' and redis.call('EXISTS', markers) == 0 then
      redis.call('SET', register, writer, 'PX', time)
    end
  end
  redis.call('ZADD', markers, now + time, writer)
  local last = redis.call('ZRANGE', markers, -1, -1, 'WITHSCORES')
  redis.call('PEXPIREAT', markers, last[2])
end
return 1
