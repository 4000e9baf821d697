-- KEYS: entry, markers of writes in progress
-- ARGV: lease, lease time in ms, '1' if a register may be replaced, the first 17 bytes of that (all, if it has fewer)
-- Nearly always: nothing there, nobody writing.
if redis.call('EXISTS', KEYS[2]) == 0 and redis.call('SET', KEYS[1], ARGV[1], 'NX', 'PX', ARGV[2]) then return 0 end
local entry = redis.pcall('GET', KEYS[1])
local unusable = false
if type(entry) == 'table' then
  -- Another data type is replaced; any other error is the answer.
  if not string.find(entry.err, 'WRONGTYPE', 1, true) then return entry end
  unusable = true
elseif entry and ARGV[3] == '1' then
  unusable = ARGV[4] == (#ARGV[4] < 17 and entry or string.sub(entry, 1, 17))
end
local left = -1
if entry and not unusable and #entry == 17 and string.sub(entry, 1, 1) == 'L' then
  left = redis.call('PTTL', KEYS[1])
  -- A lease without an end is nobody's.
  unusable = left < 0
end
if unusable then
  redis.call('DEL', KEYS[1])
  entry = false
end
if not entry then
  if redis.call('EXISTS', KEYS[2]) == 1 then return -1 end
  redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
  return 0
end
if entry == ARGV[1] then
  -- Asked again after a broken connection.
  redis.call('PEXPIRE', KEYS[1], ARGV[2])
  return 0
end
if left >= 0 then return math.max(left, 1) end
return entry
