-- For each step:
-- KEYS: entry, markers of writes in progress
-- ARGV: fresh head, lease, lease time in ms
local function take_over(key, markers, fresh, lease, time)
  if is_marked(markers) then
    -- The token of a writer that is going to put a value, which may be older than what is loaded from here on.
    redis.call('DEL', key)
    return -1
  end
  local head = redis.pcall('GETRANGE', key, 0, 16)
  if type(head) == 'table' then
    -- Another data type is replaced; any other error is the answer.
    if not string.find(head.err, 'WRONGTYPE', 1, true) then return head end
  elseif #head == 17 and string.sub(head, 1, 1) == 'V' then
    -- The value is served on, for as long as it had to live.
    redis.call('SETRANGE', key, 0, fresh)
    return 1
  end
  redis.call('SET', key, lease, 'PX', time)
  return 0
end

local answers = {}
for i = 1, #KEYS / 2 do
  local at = 3 * i
  answers[i] = take_over(KEYS[2 * i - 1], KEYS[2 * i], ARGV[at - 2], ARGV[at - 1], ARGV[at])
end
return answers
