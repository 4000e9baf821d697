-- KEYS: entry, markers of writes in progress
-- ARGV: value, time to live in ms
-- It might be older than the commit, and stand there when the marker of a writer that has died runs out.
if is_marked(KEYS[2]) then return 0 end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1
