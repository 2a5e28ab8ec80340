import { randomBytes } from "node:crypto";
import type { Log } from "../../observe/log.ts";
import type { Script } from "../../redis/script.ts";
import type { Place } from "../../redis/shards.ts";
import type { Clock, Timer } from "../../time/clock.ts";
import { derivedKeys, SECRET_BYTES, type SharedSecret } from "../shared-secret.ts";

/** Former secrets that still open what they sealed. */
const FORMER_MAX = 4;
const RETRY_MS = 250;
/** How often a node looks whether the secret is still there: Redis may have come back empty, and another node have been first. */
const LOOK_MS = 5_000;

/**
 * KEYS: the secret, the former ones. ARGV: mine; "1" if others may have got what I sealed with it; how many former ones are kept.
 * Mine becomes the secret where there is none; where there is another, mine is kept as a former one. Gives all, the present one first.
 */
const SHARE: Script = {
  name: "aldisShareSecret",
  keys: 2,
  lua: `
local present = redis.call('GET', KEYS[1])
if not present then
  present = ARGV[1]
  redis.call('SET', KEYS[1], present)
end
if present ~= ARGV[1] and ARGV[2] == '1' then
  redis.call('LREM', KEYS[2], 0, ARGV[1])
  redis.call('LPUSH', KEYS[2], ARGV[1])
  redis.call('LTRIM', KEYS[2], 0, ARGV[3] - 1)
end
local all = redis.call('LRANGE', KEYS[2], 0, -1)
table.insert(all, 1, present)
return all`,
};

export type RedisSecretDeps = {
  readonly home: Place;
  readonly clock: Clock;
  readonly log: Pick<Log, "warn">;
};

/**
 * Kept in Redis, made by the node that comes first. A node that knows it puts it back where Redis has come back empty; if another
 * was faster with a new one, that one holds, and the former still opens what it sealed.
 */
export function createRedisSecret({ home, clock, log }: RedisSecretDeps): SharedSecret {
  let mine = randomBytes(SECRET_BYTES).toString("base64url");
  /** Texts of `secrets`, in their order. */
  let known: readonly string[] = [];
  let secrets: readonly Uint8Array[] | undefined;
  let timer: Timer | undefined;
  let closed = false;

  function learn(answer: unknown): void {
    const told = Array.isArray(answer) ? answer.filter(isSecret) : [];
    const [present] = told;
    if (present === undefined) {
      log.warn({ key: home.keys.key("secret") }, "the cluster's secret in Redis cannot be read");
      return;
    }
    const all = [...new Set([...told, ...known])].slice(0, 1 + FORMER_MAX);
    mine = present;
    if (all.join() === known.join()) return;
    known = all;
    secrets = all.map((text) => Buffer.from(text, "base64url"));
  }

  async function look(): Promise<void> {
    const keys = [home.keys.key("secret"), home.keys.key("former-secrets")];
    try {
      const isShared = secrets === undefined ? "0" : "1";
      learn(await home.shard.run(SHARE, keys, [mine, isShared, FORMER_MAX]));
    } catch {
      // Redis is away, which its own readiness tells: whoever knows the secret goes on with it, the others look again.
    }
  }

  function lookAgain(): void {
    timer?.cancel();
    timer = undefined;
    void look().then(() => {
      if (closed || timer !== undefined) return;
      timer = clock.setTimer(secrets === undefined ? RETRY_MS : LOOK_MS, lookAgain);
    });
  }

  home.shard.topics.onRebuilt(() => {
    if (!closed) lookAgain();
  });
  lookAgain();
  return {
    get isKnown() {
      return secrets !== undefined;
    },
    keysFor: (purpose) => derivedKeys(purpose, () => secrets),
    close() {
      closed = true;
      timer?.cancel();
    },
  };
}

function isSecret(value: unknown): value is string {
  return typeof value === "string" && /^[A-Za-z0-9_-]{43}$/.test(value);
}
