-- For each step:
-- KEYS: entry, markers of writes in progress
-- ARGV: lease, lease time in ms, '1' if a register may be replaced, the first 17 bytes of that (all, if it has fewer)
local function acquire(key, markers, lease, time, replace, start)
  -- Nearly always: nothing there, nobody writing.
  if not is_marked(markers) and redis.call('SET', key, lease, 'NX', 'PX', time) then return 0 end
  local entry = redis.pcall('GET', key)
  local unusable = false
  if type(entry) == 'table' then
    -- Another data type is replaced; any other error is the answer.
    if not string.find(entry.err, 'WRONGTYPE', 1, true) then return entry end
    unusable = true
  elseif entry and replace == '1' then
    unusable = start == (#start < 17 and entry or string.sub(entry, 1, 17))
  end
  local left = -1
  if type(entry) == 'string' and #entry == 17 and string.sub(entry, 1, 1) == 'L' then
    -- Of a writer that is going to put a value: it is not replaced, and nobody waits for a write.
    if entry ~= lease and is_marked(markers) then return -1 end
    left = redis.call('PTTL', key)
    -- A lease without an end is nobody's.
    unusable = unusable or left < 0
  end
  if unusable then
    redis.call('DEL', key)
    entry = false
  end
  if not entry then
    if is_marked(markers) then return -1 end
    redis.call('SET', key, lease, 'PX', time)
    return 0
  end
  if entry == lease then
    -- Asked again after a broken connection.
    redis.call('PEXPIRE', key, time)
    return 0
  end
  if left >= 0 then return math.max(left, 1) end
  return entry
end

local answers = {}
for i = 1, #KEYS / 2 do
  local at = 4 * i
  answers[i] = acquire(KEYS[2 * i - 1], KEYS[2 * i], ARGV[at - 3], ARGV[at - 2], ARGV[at - 1], ARGV[at])
end
return answers
