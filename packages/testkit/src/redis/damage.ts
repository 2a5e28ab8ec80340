import type { RedisServer } from "../redis-server.ts";

// Keys hold any bytes, which do not survive a command line: scripts go through them.

/** Deletes the streams whose keys match the pattern, as an eviction would. Gives how many. */
export async function deleteStreams(redis: RedisServer, pattern: string): Promise<number> {
  return await eachKey(redis, pattern, "stream", "redis.call('DEL', key)");
}

/** Adds a field to every hash, as a later version might have. Gives to how many. */
export async function addFieldToHashes(redis: RedisServer, field: string): Promise<number> {
  return await eachKey(redis, "*", "hash", `redis.call('HSET', key, '${field}', '99')`);
}

async function eachKey(
  redis: RedisServer,
  pattern: string,
  type: string,
  work: string,
): Promise<number> {
  const script = `
    local count = 0
    for _, key in ipairs(redis.call('KEYS', ARGV[1])) do
      if redis.call('TYPE', key).ok == ARGV[2] then
        ${work}
        count = count + 1
      end
    end
    return count`;
  return Number(await redis.cli("EVAL", script, "0", pattern, type));
}
