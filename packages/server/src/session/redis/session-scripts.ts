import type { Script } from "../../redis/script.ts";

/** In place of a record's text: a claim of this node that came to nothing is taken back. */
export const UNCLAIM = "u";

/**
 * `isLater(turn, key)`: who has the session in this turn got it later than the owner of the record did. Then the record is that of a node which had lost the session without
 * hearing of it, and wrote what it knew when Redis had lost the record that would have told. Records of versions that count no turns are taken as they are.
 */
const TURNS = `
local function turnIn(record)
  return string.match(record, '\\n{"t":(%d+)')
end

local function isLater(turn, key)
  local theirs = turn and turnIn(redis.call('GET', key))
  return theirs and tonumber(turn) > tonumber(theirs)
end
`;

/**
 * KEYS: records. ARGV: this node; then for each record how long it is kept in milliseconds, and its text, "" to remove it, or {@link UNCLAIM}. What is another
 * node's by now stays as it is, unless this one got it later. Gives the places (from 1) of those, as negative numbers while that is only claimed: who claims it is about to ask for it.
 */
export const WRITE: Script = {
  name: "aldisWriteSessions",
  lua: `${TURNS}
local others = {}
for i, key in ipairs(KEYS) do
  local owner, state =
    string.match(redis.call('GETRANGE', key, 0, 300), '^%d+\\n([^\\n]*)\\n([^\\n]*)\\n')
  local was, former = string.match(state or '', '^c(%a),([^,]*)')
  local text = ARGV[2 * i + 1]
  if owner and owner ~= ARGV[1] and not isLater(turnIn(text), key) then
    if text ~= 'u' then
      if was then others[#others + 1] = -i else others[#others + 1] = i end
    end
  elseif text == 'u' then
    if was then
      local version, rest =
        string.match(redis.call('GET', key), '^(%d+)\\n[^\\n]*\\n[^\\n]*\\n(.*)$')
      redis.call('SET', key, table.concat({version, former, was, rest}, '\\n'), 'KEEPTTL')
    end
  elseif text == '' then
    redis.call('DEL', key)
  else
    redis.call('SET', key, text, 'PX', ARGV[2 * i])
  end
end
return others`,
};

/**
 * KEYS: records of sessions that are connected here. ARGV: this node; how long they are kept from now on; the turn of each. Gives the places (from 1) of those
 * to be written, which are not there any more, stale, or claimed by another node, of which writing tells what becomes; and, as negative numbers, of those that are another node's by now.
 */
export const KEEP: Script = {
  name: "aldisKeepSessions",
  lua: `${TURNS}
local astray = {}
for i, key in ipairs(KEYS) do
  local owner, state =
    string.match(redis.call('GETRANGE', key, 0, 300), '^%d+\\n([^\\n]*)\\n([^\\n]*)\\n')
  if not owner then
    astray[#astray + 1] = i
  elseif owner ~= ARGV[1] then
    local isClaimed = string.sub(state, 1, 1) == 'c'
    astray[#astray + 1] = (isClaimed or isLater(ARGV[i + 2], key)) and i or -i
  else
    redis.call('PEXPIRE', key, ARGV[2])
  end
end
return astray`,
};

/**
 * KEYS: a record. ARGV: this node; whose session it must be, or "" and the time (Unix, ms) that its token must outlive; how long it is kept; the name of this claim.
 * It is claimed for this node from then on, in the next turn, and says from whom. Gives false when there is none or it is not wanted, else whose it was, its
 * state, and its text.
 */
export const TAKE: Script = {
  name: "aldisTakeSession",
  lua: `
local record = redis.call('GET', KEYS[1])
if not record then return false end
local version, owner, state, expiry, bearer, rest =
  string.match(record, '^(%d+)\\n([^\\n]*)\\n([^\\n]*)\\n(%d*)\\n([^\\n]*)\\n(.*)$')
if version ~= '1' then return false end
if ARGV[2] ~= '' then
  if bearer ~= ARGV[2] then return false end
elseif expiry ~= '' and tonumber(expiry) <= tonumber(ARGV[3]) then
  return false
end
local was, former = string.match(state, '^c(%a),([^,]*)')
local claim = table.concat({'c' .. (was or state), former or owner, ARGV[5]}, ',')
local turn, body = string.match(rest, '^{"t":(%d+),(.*)$')
if turn then rest = string.format('{"t":%.0f,', turn + 1) .. body end
local mine = table.concat({version, ARGV[1], claim, expiry, bearer, rest}, '\\n')
redis.call('SET', KEYS[1], mine, 'PX', ARGV[4])
return {owner, state, record}`,
};
