-- For each step:
-- KEYS: entry
-- ARGV: lease
local answers = {}
for i, key in ipairs(KEYS) do
  -- Of another data type it is lost.
  local is_held = redis.pcall('GET', key) == ARGV[i]
  answers[i] = is_held and redis.call('DEL', key) or 0
end
return answers
