-- KEYS: for each tag: tag, markers of writes in progress
-- ARGV: fresh stamp, time to live in ms
for i = 2, #KEYS, 2 do
  if redis.call('EXISTS', KEYS[i]) == 1 then return -1 end
end
local stamps = {}
for i = 1, #KEYS, 2 do
  local stamp = redis.pcall('GET', KEYS[i])
  if type(stamp) == 'table' then
    -- Another data type is replaced; any other error is the answer.
    if not string.find(stamp.err, 'WRONGTYPE', 1, true) then return stamp end
    redis.call('DEL', KEYS[i])
    stamp = false
  end
  if stamp and #stamp == 17 and string.sub(stamp, 1, 1) == 'V' then
    -- Without an end as well (-1).
    if redis.call('PTTL', KEYS[i]) < tonumber(ARGV[2]) / 2 then redis.call('PEXPIRE', KEYS[i], ARGV[2]) end
  else
    redis.call('SET', KEYS[i], ARGV[1], 'PX', ARGV[2])
    stamp = ARGV[1]
  end
  stamps[#stamps + 1] = stamp
end
return stamps
