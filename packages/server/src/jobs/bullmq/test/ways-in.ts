import { type RedisServer, startTcpProxy } from "@aldis/testkit";
import type { ConfigInput } from "../../../config/schema.ts";
import { createRandomIds } from "../../../random/random.ts";

/** How one worker of a test reaches Redis, so that it can be cut off for good, as the dead are. */
export type WayIn = AsyncDisposable & {
  readonly broker: string;
  readonly redis: NonNullable<ConfigInput["redis"]>;
  cutOff(): void;
};

/** Where no test takes it away, what takes long is a busy machine. */
export const REDIS_IS_WELL: WayIn["redis"] = { commandTimeoutMs: 10_000 };

export type OpenWayIn = (prefix: string) => Promise<WayIn>;

/** Through a proxy of its own, to one server, which may be started anew. */
export function proxied(server: () => RedisServer, redis: WayIn["redis"] = {}): OpenWayIn {
  return async () => {
    const proxy = await startTcpProxy(server().port);
    return {
      broker: `redis://127.0.0.1:${proxy.port}`,
      redis,
      cutOff() {
        proxy.accepting = false;
        proxy.cut();
      },
      [Symbol.asyncDispose]: () => proxy[Symbol.asyncDispose](),
    };
  };
}

export type RedisPlace = {
  readonly url: string;
  /** All that hold something. */
  readonly servers: readonly RedisServer[];
  readonly caFile?: string;
};

/** With an account of its own that may do what docs/operate/cluster.md asks for, and no more: by it the servers themselves cut it off, whatever leads to them. */
export function withAccount(place: () => RedisPlace, redis: WayIn["redis"] = {}): OpenWayIn {
  return async (prefix) => {
    const { url, servers, caFile } = place();
    const random = createRandomIds();
    const [user, password] = [`u${random.id(6)}`, `p@${random.id(9)}`];
    const rights = [`~${prefix}:*`, `&${prefix}:*`, "+@all", "-@admin", "+info"];
    const words = ["ACL", "SETUSER", user, "on", `>${password}`, ...rights];
    for (const server of servers) await server.cli(...words);
    let gone: Promise<unknown> | undefined;
    function cutOff(): void {
      gone ??= Promise.all(servers.map((server) => server.cli("ACL", "DELUSER", user)));
    }
    return {
      broker: url.replace("://", `://${user}:${encodeURIComponent(password)}@`),
      redis: { ...redis, ...(caFile !== undefined && { caFile }) },
      cutOff,
      async [Symbol.asyncDispose]() {
        cutOff();
        await gone;
      },
    };
  };
}
