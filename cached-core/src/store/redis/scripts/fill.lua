-- For each step:
-- KEYS: entry
-- ARGV: expected head, value, time to live in ms
local answers = {}
for i, key in ipairs(KEYS) do
  local value = ARGV[3 * i - 1]
  local head = redis.call('GETRANGE', key, 0, 16)
  if head == ARGV[3 * i - 2] then
    redis.call('SET', key, value, 'PX', ARGV[3 * i])
    answers[i] = 1
  else
    -- The same value again: sent twice because of a broken connection.
    answers[i] = head == string.sub(value, 1, 17) and 1 or 0
  end
end
return answers
