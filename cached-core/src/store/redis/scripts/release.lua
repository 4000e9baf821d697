-- For each step:
-- KEYS: entry
-- ARGV: head: the whole of a lease, the first 17 bytes of a value
local answers = {}
for i, key in ipairs(KEYS) do
  -- Of another data type it is lost.
  local is_held = redis.pcall('GETRANGE', key, 0, 16) == ARGV[i]
  answers[i] = is_held and redis.call('DEL', key) or 0
end
return answers
