-- KEYS: entry   ARGV: expected head, value, time to live in ms
local head = redis.call('GETRANGE', KEYS[1], 0, 16)
if head ~= ARGV[1] then
  -- The same value again: sent twice because of a broken connection.
  if head == string.sub(ARGV[2], 1, 17) then return 1 end
  return 0
end
redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
return 1
