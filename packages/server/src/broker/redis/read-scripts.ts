import type { Script } from "../../redis/script.ts";
import { PRELUDE } from "./lua.ts";

// Keys of all: meta, stream, part. Arguments of all: time, idle, hash, fresh; then size, ttl, maxBytes of the history in force.

const OPEN = `${PRELUDE}
local meta, stream, part = KEYS[1], KEYS[2], KEYS[3]
local time, idle, hash, fresh = now(ARGV[1]), tonumber(ARGV[2]), ARGV[3], ARGV[4]
local epoch, top, latest, bytes, known = open(meta, stream, part, time, idle, fresh, hash)
`;

const TRIM = `
local oldest = known and trim(stream, top, bytes, time, tonumber(ARGV[5]), tonumber(ARGV[6]), tonumber(ARGV[7])) or top + 1

-- Appends what is kept with from <= offset < till to an answer.
local function append(answer, from, till)
  if till <= from then return answer end
  for _, entry in ipairs(redis.call('XRANGE', stream, id(from), id(till - 1))) do
    answer[#answer + 1] = entry[2][6]
  end
  return answer
end
`;

/** Answers `{epoch, top}`. */
export const TOP_SCRIPT: Script = {
  name: "aldisTop",
  lua: `${OPEN}return {epoch, top}`,
};

/** Further arguments: epoch and offset of the position. Answers `{epoch, top, recovered, first offset, message…}`. */
export const RECOVER_SCRIPT: Script = {
  name: "aldisRecover",
  lua: `${OPEN}${TRIM}
local since = tonumber(ARGV[9])
if ARGV[8] ~= epoch or since > top or since + 1 < oldest then return {epoch, top, 0, 0} end
return append({epoch, top, 1, since + 1}, since + 1, top + 1)
`,
};

/** Further arguments: limit, before, after. Answers `{epoch, top, more, first offset, message…}`. */
export const HISTORY_SCRIPT: Script = {
  name: "aldisHistory",
  lua: `${OPEN}${TRIM}
local limit, before, after = tonumber(ARGV[8]), tonumber(ARGV[9]), tonumber(ARGV[10])
local ends = math.min(before or top + 1, top + 1)
local from, till, more
if after then
  from = math.max(after + 1, oldest)
  till = math.min(from + limit, ends)
  more = till <= top and till < (before or math.huge)
else
  till = ends
  from = math.max(till - limit, oldest)
  more = from > oldest and from < till
end
return append({epoch, top, more and 1 or 0, from}, from, till)
`,
};

// Of many channels. Keys: part, then meta and stream of each. Arguments: time, idle, fresh, one of the script's own, then the hash of each.

const OPEN_EACH = `${PRELUDE}
local part = KEYS[1]
local time, idle, fresh = now(ARGV[1]), tonumber(ARGV[2]), ARGV[3]
local function openAt(i)
  return open(KEYS[i], KEYS[i + 1], part, time, idle, fresh, ARGV[4 + i / 2])
end
`;

/** Answers `{epoch, top, epoch, top, …}`. */
export const TOPS_SCRIPT: Script = {
  name: "aldisTops",
  lua: `${OPEN_EACH}
local tops = {}
for i = 2, #KEYS, 2 do
  local epoch, top = openAt(i)
  tops[#tops + 1] = epoch
  tops[#tops + 1] = top
end
return tops
`,
};

/**
 * Keeps channels remembered that somebody is subscribed to. Own argument: the life of one that nothing was published in. It comes back as
 * it was while the era is the same, so that it need not live as long as the others.
 */
export const RETAIN_SCRIPT: Script = {
  name: "aldisRetain",
  lua: `${OPEN_EACH}
local quiet = tonumber(ARGV[4])
for i = 2, #KEYS, 2 do
  local meta = KEYS[i]
  local epoch, top, _, _, known = openAt(i)
  local life = top == 0 and quiet or idle
  if not known then
    remember(meta, part, epoch, time, life)
  elseif tonumber(redis.call('HGET', meta, 'x')) < time + life then
    redis.call('HSET', meta, 'x', text(time + life))
    keep(meta, life)
  end
end
`,
};
