// What the scripts of the broker share. Numbers stay below 2^53 and are written with %.0f where they may reach 10^14, as Lua's own form
// has 14 digits.

/** What Redis keeps keys longer for than they count: the stored times decide, to the millisecond. */
const SLACK_MS = 10_000;

/**
 * `now(given)`: the server's time in ms, unless a test gives its own.
 *
 * `era(part, now, idle, fresh)`: the text that epochs of unknown channels of a partition begin with. It lives for `idle` from its first use,
 * and a channel that was published in is remembered for at least as long from then: what is forgotten never comes back under its epoch.
 *
 * `open(meta, stream, …)`: epoch, top, version, bytes so far of a channel, whether it is remembered, and in which run of the server it was
 * published in last. A stream whose position is gone (evicted, deleted) is dropped, and the channel starts anew under an epoch of its own.
 * So does one of an earlier run, when no node has vouched that nothing older than what nodes report was lost (docs/decisions/0016-fence.md).
 *
 * `trim(stream, top, bytes, now, size, ttl, maxBytes)`: lets go of what these options do not keep; gives the oldest offset kept, or nil.
 */
export const PRELUDE = `
local function now(given)
  if given ~= '' then return tonumber(given) end
  local t = redis.call('TIME')
  return t[1] * 1000 + math.floor(t[2] / 1000)
end

local function text(number)
  return string.format('%.0f', number)
end

local function id(offset)
  return text(offset) .. '-0'
end

local function era(part, time, idle, fresh)
  local known = redis.call('HMGET', part, 'era', 'eraUntil')
  if known[1] and tonumber(known[2]) > time then return known[1] end
  redis.call('HSET', part, 'era', fresh, 'eraUntil', text(time + idle))
  return fresh
end

local function keep(key, ms)
  redis.call('PEXPIRE', key, text(ms + ${SLACK_MS}))
end

local function remember(meta, part, epoch, time, ms)
  redis.call('HSET', meta, 'e', epoch, 'o', '0', 'b', '0', 'x', text(time + ms), 'r', redis.call('HGET', part, 'run') or '')
  keep(meta, ms)
end

-- Starts a channel anew under an epoch that never was.
local function renew(meta, stream, part, time, ms, fresh, hash)
  local epoch = fresh .. 'x' .. hash
  redis.call('DEL', stream)
  redis.call('HDEL', meta, 's')
  remember(meta, part, epoch, time, ms)
  return epoch
end

local function isOver(part, run, top, time)
  local p = redis.call('HMGET', part, 'run', 'ok', 'fence')
  if run == (p[1] or '') or p[2] == p[1] or (run == '' and top == 0) then return false end
  return tonumber(p[3] or '0') <= time
end

local function open(meta, stream, part, time, idle, fresh, hash, run)
  local m = redis.call('HMGET', meta, 'e', 'o', 'v', 'b', 'x', 'r')
  if m[1] and tonumber(m[5]) > time then
    local top, version = tonumber(m[2]), tonumber(m[3] or '-1')
    if m[6] ~= run and isOver(part, m[6] or '', top, time) then
      return renew(meta, stream, part, time, idle, fresh, hash), 0, version, 0, true, run
    end
    return m[1], top, version, tonumber(m[4]), true, m[6]
  end
  redis.call('DEL', meta)
  if redis.call('EXISTS', stream) == 1 then
    return renew(meta, stream, part, time, idle, fresh, hash), 0, -1, 0, true, run
  end
  return era(part, time, idle, fresh) .. hash, 0, -1, 0, false, run
end


local function offsetOf(entry)
  return tonumber(string.match(entry[1], '^%d+'))
end

local function trim(stream, top, bytes, time, size, ttl, maxBytes)
  if size <= 0 or ttl <= 0 then
    redis.call('DEL', stream)
    return nil
  end
  redis.call('XTRIM', stream, 'MINID', '=', id(math.max(0, top - size + 1)))
  local count = 1
  while true do
    local oldest = redis.call('XRANGE', stream, '-', '+', 'COUNT', count)
    if #oldest == 0 then
      redis.call('DEL', stream)
      return nil
    end
    for i, entry in ipairs(oldest) do
      if time - entry[2][2] < ttl and bytes - entry[2][4] <= maxBytes then
        if i > 1 then redis.call('XTRIM', stream, 'MINID', '=', entry[1]) end
        return offsetOf(entry)
      end
    end
    redis.call('XTRIM', stream, 'MINID', '=', id(offsetOf(oldest[#oldest]) + 1))
    count = 64
  end
end
`;
