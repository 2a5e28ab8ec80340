import type { Script } from "../../redis/script.ts";

/**
 * KEYS: one hash for each user or tenant, from node to its connections. ARGV: this node; how long a hash is kept in milliseconds; the nodes that live, each
 * between two blanks, or "" when that is not known, and those that are gone, whose rows are removed; then for each key how many are connected here, how many of
 * them are to be judged, and the ceiling. Gives how many may be connected here, those that are judged and find no room beside those of other nodes may not; and the
 * nodes of each key that neither live nor are gone, between blanks: their rows stay, and do not count.
 */
export const COUNT: Script = {
  name: "aldisCountConnections",
  lua: `
local allowed, unknown = {}, {}
local living, gone = ARGV[3], ARGV[4]
for i, key in ipairs(KEYS) do
  local count = tonumber(ARGV[3 * i + 2])
  local others = 0
  unknown[i] = ''
  local stored = redis.call('HGETALL', key)
  for at = 1, #stored, 2 do
    local node = stored[at]
    if node ~= ARGV[1] then
      local named = ' ' .. node .. ' '
      if living == '' or string.find(living, named, 1, true) then
        others = others + tonumber(stored[at + 1])
      elseif string.find(gone, named, 1, true) then
        redis.call('HDEL', key, node)
      else
        unknown[i] = unknown[i] .. named
      end
    end
  end
  local judged = tonumber(ARGV[3 * i + 3])
  local room = math.max(count - judged, tonumber(ARGV[3 * i + 4]) - others)
  if judged > 0 and count > room then count = room end
  if count > 0 then
    redis.call('HSET', key, ARGV[1], count)
    redis.call('PEXPIRE', key, ARGV[2])
  else
    redis.call('HDEL', key, ARGV[1])
  end
  allowed[i] = count
end
return {allowed, unknown}`,
};
