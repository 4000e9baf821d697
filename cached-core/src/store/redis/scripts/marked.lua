-- Stands before the scripts that ask for it.
-- Whether a write is in progress. Markers run out by themselves with the last of them; those that somebody's PERSIST keeps from
-- that are over all the same when their times are.
local function is_marked(markers)
  -- Nearly always: no.
  if redis.call('EXISTS', markers) == 0 then return false end
  if redis.pcall('PTTL', markers) ~= -1 then return true end
  local clock = redis.call('TIME')
  redis.pcall('ZREMRANGEBYSCORE', markers, '-inf', clock[1] * 1000 + math.floor(clock[2] / 1000))
  return redis.call('EXISTS', markers) == 1
end

