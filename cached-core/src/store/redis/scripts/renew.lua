-- For each step:
-- KEYS: entry
-- ARGV: lease, lease time in ms
local answers = {}
for i, key in ipairs(KEYS) do
  -- Of another data type it is lost.
  local is_held = redis.pcall('GET', key) == ARGV[2 * i - 1]
  answers[i] = is_held and redis.call('PEXPIRE', key, ARGV[2 * i]) or 0
end
return answers
