-- For each step:
-- KEYS: for each of its tags: tag, markers of writes in progress
-- ARGV: number of its tags, fresh stamp, time to live in ms
local function tag(from, count, fresh, time)
  for i = from, from + 2 * count - 1, 2 do
    if is_marked(KEYS[i + 1]) then return -1 end
  end
  local stamps = {}
  for i = from, from + 2 * count - 1, 2 do
    local stamp = redis.pcall('GET', KEYS[i])
    if type(stamp) == 'table' then
      -- Another data type is replaced; any other error is the answer.
      if not string.find(stamp.err, 'WRONGTYPE', 1, true) then return stamp end
      redis.call('DEL', KEYS[i])
      stamp = false
    end
    if stamp and #stamp == 17 and string.sub(stamp, 1, 1) == 'V' then
      -- Without an end as well (-1).
      if redis.call('PTTL', KEYS[i]) < tonumber(time) / 2 then redis.call('PEXPIRE', KEYS[i], time) end
    else
      redis.call('SET', KEYS[i], fresh, 'PX', time)
      stamp = fresh
    end
    stamps[#stamps + 1] = stamp
  end
  return stamps
end

local answers = {}
local from = 1
for i = 1, #ARGV / 3 do
  local count = tonumber(ARGV[3 * i - 2])
  answers[i] = tag(from, count, ARGV[3 * i - 1], ARGV[3 * i])
  from = from + 2 * count
end
return answers
