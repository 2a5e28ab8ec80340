// What Redis holds of presence, all in the channel's partition, and the scripts that change and read it:
//   presence:<channel>        hash: user → who they are to others and their rows; "" → connections of all
//   presence-order:<channel>  sorted set of users, all with score 0: pages in order of ids
//   presence-rows:<holder>    sorted set of `channel NUL user`: the rows of one life of one node
//   presence-holders          hash: holder → number of its latest batch
// A user is one list in MessagePack: version, name and avatar, status, data (each as JSON text, "" without), and three
// for each row: holder, connections, number of its latest change of looks. Fields that a later version appends to a key of its own are not touched.
import type { Script } from "../../redis/script.ts";

/** Bumped when the lists above change their meaning: nodes of both versions then keep apart what they write. */
export const ROWS_VERSION = 1;

/** Reads a user's list, or nothing if it is broken: one user must not hold up all that are written with them. */
const READ_LIST = `
local function unpacked(packed)
  return {cmsgpack.unpack(packed)}
end

local function readList(packed)
  local ok, list = pcall(unpacked, packed)
  if not ok or #list % 3 ~= 1 or #list < 4 or type(list[1]) ~= 'number' then return nil end
  for i = 5, #list, 3 do
    if type(list[i]) ~= 'string' or type(list[i + 1]) ~= 'number' then return nil end
  end
  return list
end

local function connectionsOf(list)
  local sum = 0
  for i = 6, #list, 3 do sum = sum + list[i] end
  return sum
end
`;

/**
 * `put` sets one row to what it is now, so that doing it twice is doing it once, and notes what others have to be told; `tell` publishes what was noted
 * for a channel, with the count after it.
 */
const COMMON = `${READ_LIST}
local at = 0
local function take()
  at = at + 1
  return ARGV[at]
end
local usersPrefix, orderPrefix, rowsPrefix = take(), take(), take()
local topicPrefix, publish, envelope = take(), take(), take()
local pushMax = tonumber(take())
local answersChanges = take() == '1'
local events, changes = {}, {}

local function orNull(json)
  if json == '' then return 'null' end
  return json
end

local function note(event, user, list, connections)
  events[#events + 1] = '["' .. event .. '",' .. cjson.encode(user) .. ',' .. connections .. ',' ..
    orNull(list[2]) .. ',' .. orNull(list[3]) .. ',' .. orNull(list[4]) .. ',' .. list[1] .. ']'
end

local function rowOf(list, holder)
  for i = 5, #list, 3 do
    if list[i] == holder then return i end
  end
end

local function setLooks(list, status, data)
  if status ~= '' then list[3] = status end
  if data == 'null' then list[4] = '' elseif data ~= '' then list[4] = data end
end

local function dropRow(list, i)
  for _ = 1, 3 do table.remove(list, i) end
end

-- What the same node wrote in another life. Answers how many connections these were.
local function dropFormer(list, holder, name)
  local node = string.match(holder, '^.*#')
  local sum = 0
  for i = #list - 2, 5, -3 do
    if list[i] ~= holder and string.sub(list[i], 1, #node) == node then
      sum = sum + list[i + 1]
      redis.call('ZREM', rowsPrefix .. list[i], name)
      dropRow(list, i)
    end
  end
  return sum
end

-- What is written anew, as Redis had lost it, is no change.
local function notice(channel, event, row)
  if not answersChanges or row.version >= 0 then return end
  changes[#changes + 1] = channel
  changes[#changes + 1] = event
  changes[#changes + 1] = row.user
end

local function put(holder, channel, row)
  local users, order = usersPrefix .. channel, orderPrefix .. channel
  local packed = redis.call('HGET', users, row.user)
  local list = packed and readList(packed)
  local isNew = not list
  if isNew and row.connections == 0 then return end
  list = list or {0, row.identity, '', ''}
  local name = channel .. '\\0' .. row.user
  local before = row.version >= 0 and dropFormer(list, holder, name) or 0
  local i = rowOf(list, holder)
  if i then before = before + list[i + 1] end
  local updated = false
  if i and row.connections == 0 then
    dropRow(list, i)
    redis.call('ZREM', rowsPrefix .. holder, name)
    i = nil
  elseif i then
    list[i + 1] = row.connections
  elseif row.connections > 0 then
    i = #list + 1
    list[i], list[i + 1], list[i + 2] = holder, row.connections, 0
    redis.call('ZADD', rowsPrefix .. holder, 0, name)
  end
  if row.version >= 0 and (isNew or row.version > list[1]) then
    list[1], list[3], list[4] = row.version, '', ''
    setLooks(list, row.status, row.data)
    updated = true
  end
  if row.stamp > 0 and (i == nil or list[i + 2] < row.stamp) then
    setLooks(list, row.status, row.data)
    list[1] = list[1] + 1
    if i then list[i + 2] = row.stamp end
    updated = true
  end
  local difference = row.connections - before
  if difference ~= 0 then redis.call('HINCRBY', users, '', difference) end
  if #list == 4 then
    redis.call('HDEL', users, row.user)
    redis.call('ZREM', order, row.user)
    if redis.call('EXISTS', order) == 0 then redis.call('DEL', users) end
    notice(channel, 'leave', row)
    return note('leave', row.user, list, 0)
  end
  redis.call('HSET', users, row.user, cmsgpack.pack(unpack(list)))
  if isNew then
    redis.call('ZADD', order, 0, row.user)
    notice(channel, 'join', row)
    return note('join', row.user, list, connectionsOf(list))
  end
  if updated then
    notice(channel, 'update', row)
    note('update', row.user, list, connectionsOf(list))
  end
end

local function tell(channel, mode)
  if #events > 0 and mode ~= 'quiet' then
    local body = '{"v":${ROWS_VERSION},"count":' .. redis.call('ZCARD', orderPrefix .. channel)
    if mode == 'many' or #events > pushMax then
      body = body .. ',"many":true}'
    else
      body = body .. ',"users":[' .. table.concat(events, ',') .. ']}'
    end
    redis.call(publish, topicPrefix .. channel, envelope .. body)
  end
  events = {}
end
`;

/**
 * Writes a batch of a node's rows. Answers `ok`, how many rows it has now and, if that is wanted, what has changed by it (`row-answer.ts`); `lost` when what was acknowledged before is not there any more;
 * `late` when a later batch came first. KEYS: the holders; after the common arguments: holder, number of the batch, that of the latest one
 * acknowledged, and for each channel its key, mode and number of rows, and the rows.
 */
export const WRITE_ROWS: Script = {
  name: "presenceWrite",
  keys: 1,
  lua: `${COMMON}
local holder, batch, acknowledged = take(), tonumber(take()), tonumber(take())
local last = tonumber(redis.call('HGET', KEYS[1], holder) or 0)
if last < acknowledged then return {'lost', 0} end
if last >= batch then return {'late', 0} end
redis.call('HSET', KEYS[1], holder, batch)
while at < #ARGV do
  local channel, mode = take(), take()
  for _ = 1, tonumber(take()) do
    put(holder, channel, {
      user = take(), connections = tonumber(take()), identity = take(), stamp = tonumber(take()),
      version = tonumber(take()), status = take(), data = take()
    })
  end
  tell(channel, mode)
end
return {'ok', redis.call('ZCARD', rowsPrefix .. holder), changes}
`,
};

/**
 * Removes at most so many rows of a holder that is over, and tells who has left by it. Answers how many they were and what has changed; with none left the
 * holder is forgotten, and from the first step on nothing is taken from it any more. KEYS: the holders; then holder and number of rows.
 */
export const REMOVE_ROWS: Script = {
  name: "presenceRemove",
  keys: 1,
  lua: `${COMMON}
local holder, max = take(), tonumber(take())
redis.call('HDEL', KEYS[1], holder)
local rows = redis.call('ZRANGE', rowsPrefix .. holder, 0, max - 1)
local channel
for _, name in ipairs(rows) do
  local stop = string.find(name, '\\0', 1, true)
  local own = string.sub(name, 1, stop - 1)
  if channel and own ~= channel then tell(channel, 'told') end
  channel = own
  local user = string.sub(name, stop + 1)
  put(holder, channel, {
    user = user, connections = 0, identity = '', stamp = 0, version = -1, status = '', data = ''
  })
  redis.call('ZREM', rowsPrefix .. holder, name)
end
if channel then tell(channel, 'told') end
return {#rows, changes}
`,
};

/** A page of a channel. KEYS: its users and their order; then the limit and, if there is one, the cursor. */
export const READ_ROWS: Script = {
  name: "presenceRead",
  keys: 2,
  lua: `${READ_LIST}
local limit, cursor = tonumber(ARGV[1]), ARGV[2]
local connections = redis.call('HGET', KEYS[1], '') or '0'
local answer = {redis.call('ZCARD', KEYS[2]), tonumber(connections), 0}
if limit == 0 then return answer end
local from = cursor and '(' .. cursor or '-'
local users = redis.call('ZRANGEBYLEX', KEYS[2], from, '+', 'LIMIT', 0, limit + 1)
if #users > limit then answer[3] = 1 end
for i = 1, math.min(limit, #users) do
  local packed = redis.call('HGET', KEYS[1], users[i])
  local list = packed and readList(packed)
  if list then
    answer[#answer + 1] = users[i]
    answer[#answer + 1] = connectionsOf(list)
    for field = 2, 4 do answer[#answer + 1] = list[field] end
  end
end
return answer
`,
};
