import type { RedisServer } from "../redis-server.ts";

/** All slots that hold something of one master to another, with their keys, as `redis-cli --cluster reshard` does it. */
export async function moveSlots(
  from: RedisServer,
  to: RedisServer,
  all: readonly RedisServer[],
): Promise<void> {
  const [fromId, toId] = await Promise.all(
    [from, to].map((server) => server.cli("CLUSTER", "MYID")),
  );
  for (const slot of await slotsOf(from)) {
    await to.cli("CLUSTER", "SETSLOT", slot, "IMPORTING", fromId ?? "");
    await from.cli("CLUSTER", "SETSLOT", slot, "MIGRATING", toId ?? "");
    const keys = (await from.cli("CLUSTER", "GETKEYSINSLOT", slot, "1000")).split("\n");
    const named = keys.filter((key) => key !== "");
    if (named.length > 0) {
      await from.cli("MIGRATE", "127.0.0.1", `${to.port}`, "", "0", "5000", "KEYS", ...named);
    }
    for (const server of all) await server.cli("CLUSTER", "SETSLOT", slot, "NODE", toId ?? "");
  }
}

async function slotsOf(server: RedisServer): Promise<string[]> {
  const found = new Set<string>();
  for (const key of (await server.cli("KEYS", "*")).split("\n")) {
    if (key !== "") found.add(await server.cli("CLUSTER", "KEYSLOT", key));
  }
  return [...found];
}
