import { describe, expect, test } from "bun:test";
import { type RawClient, startTestGateway, type TestGateway } from "@aldis/testkit";

const OTHER = "a-key-of-the-other-tenant-0";
const config = { api: { keys: [{ key: OTHER, tenant: "other" }] } };
const start = async () => {
  const gateway = await startTestGateway({
    config: { api: { keys: [{ key: "test-api-key-0123456789abcdef" }, ...config.api.keys] } },
  });
  return gateway;
};

/** All pages of a list, and how many there were. */
async function all(
  gateway: TestGateway,
  path: string,
  key?: string,
  between: () => Promise<void> = async () => {},
) {
  const items: Record<string, unknown>[] = [];
  let pages = 0;
  let cursor = "";
  do {
    const more = cursor === "" ? "" : `&cursor=${cursor}`;
    const { status, body } = await gateway.call("GET", `${path}${more}`, undefined, key);
    expect([path, status, body.error]).toEqual([path, 200, undefined]);
    items.push(...(body.users ?? body.channels ?? body.connections));
    cursor = body.next ?? "";
    pages++;
    await between();
  } while (cursor !== "");
  return { items, pages };
}

describe("[HT7] history and presence", () => {
  test("history in pages, with both bounds, as on the WebSocket", async () => {
    await using gateway = await start();
    for (const n of [1, 2, 3, 4, 5]) await gateway.publish("chat:a", n, { event: "n", key: "k" });
    await gateway.http("/api/publish", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: '{"channel":"chat:a","base64":"AAE="}',
    });
    const ann = await gateway.connect();
    await ann.must("publish", { channel: "chat:a", data: 7 });
    for (const query of ["", "?limit=2", "?after=1&limit=2", "?before=4", "?after=1&before=4"]) {
      const { status, body } = await gateway.call("GET", `/api/channels/chat:a/history${query}`);
      expect(status).toBe(200);
      const fields = Object.fromEntries(new URLSearchParams(query));
      const asked = Object.entries(fields).map(([name, value]) => [name, Number(value)]);
      const same = await ann.must("history", { channel: "chat:a", ...Object.fromEntries(asked) });
      expect(body).toEqual(same);
    }
    const { body } = await gateway.call("GET", "/api/channels/chat%3Aa/history");
    expect(body.publications).toHaveLength(7);
    const lost = await gateway.call("GET", "/api/channels/chat:a/history?epoch=gone");
    expect([lost.status, lost.body.error.code]).toEqual([410, "position_lost"]);
    const current = await gateway.call("GET", `/api/channels/chat:a/history?epoch=${body.epoch}`);
    expect(current.status).toBe(200);
    const none = await gateway.call("GET", "/api/channels/chat:never/history");
    expect(none.body).toMatchObject({ publications: [], offset: 0, more: false });
  });

  test("presence in pages; P2: of the key's tenant alone; not where none is kept", async () => {
    await using gateway = await start();
    const names = ["ann", "bob", "c/ä\ud83d\ude00", "dan"];
    for (const sub of names) {
      const client = await gateway.connect({ sub });
      await client.must("subscribe", { channel: "chat:a" });
    }
    const { items, pages } = await all(gateway, "/api/channels/chat:a/presence?limit=3");
    expect([items.map(({ id }) => id), pages]).toEqual([names, 2]);
    const counts = await gateway.call("GET", "/api/channels/chat:a/presence?limit=0");
    expect(counts.body).toEqual({ channel: "chat:a", count: 4, connections: 4, users: [] });
    const other = await gateway.call("GET", "/api/channels/chat:a/presence", undefined, OTHER);
    expect(other.body).toEqual({ channel: "chat:a", count: 0, connections: 0, users: [] });
    await gateway.call("PUT", "/api/namespaces/chat", { presence: false });
    expect((await gateway.call("GET", "/api/channels/chat:a/presence")).status).toBe(404);
  });
});

describe("[HT7] lists", () => {
  test("channels by name, with a prefix, in pages; P2: of the key's tenant alone", async () => {
    await using gateway = await start();
    const ann = await gateway.connect();
    const bob = await gateway.connect({ sub: "bob" });
    const eve = await gateway.connect({ tenant: "other" });
    for (const channel of ["chat:b", "chat:a", "news", "zoo:z", "chat:c"]) {
      await ann.must("subscribe", { channel });
    }
    await bob.must("subscribe", { channel: "chat:a" });
    await eve.must("subscribe", { channel: "chat:secret" });
    await gateway.publish("chat:a", 1);
    const names = async (path: string, key?: string) =>
      (await all(gateway, path, key)).items.map(({ channel }) => channel);
    expect(await names("/api/channels?limit=2")).toEqual([
      "chat:a",
      "chat:b",
      "chat:c",
      "news",
      "zoo:z",
    ]);
    expect(await names("/api/channels?prefix=chat:&limit=2")).toEqual([
      "chat:a",
      "chat:b",
      "chat:c",
    ]);
    expect(await names("/api/channels?prefix=chat:b")).toEqual(["chat:b"]);
    expect(await names("/api/channels?prefix=nothing")).toEqual([]);
    expect(await names("/api/channels?prefix=", OTHER)).toEqual(["chat:secret"]);
    const { items } = await all(gateway, "/api/channels?prefix=chat:a");
    expect(items[0]).toMatchObject({ subscribers: 2, users: 2, offset: 1 });
    await ann.must("unsubscribe", { channel: "chat:b" });
    expect(await names("/api/channels?prefix=chat:")).toEqual(["chat:a", "chat:c"]);
  });

  test("connections, the longest connected first, by user and by channel", async () => {
    await using gateway = await start();
    const ann1 = await gateway.connect();
    const bob = await gateway.connect({ sub: "bob" });
    const ann2 = await gateway.connect();
    const eve = await gateway.connect({ tenant: "other" });
    await ann2.must("subscribe", { channel: "chat:a" });
    await bob.must("subscribe", { channel: "chat:a" });
    const ids = async (path: string, key?: string) =>
      (await all(gateway, path, key)).items.map(({ connection }) => connection);
    const id = ({ welcome }: { welcome: { connection: string } }) => welcome.connection;
    expect(await ids("/api/connections?limit=1")).toEqual([ann1, bob, ann2].map(id));
    expect(await ids("/api/connections?user=ann&limit=1")).toEqual([ann1, ann2].map(id));
    expect(await ids("/api/connections?channel=chat:a&limit=1")).toEqual([bob, ann2].map(id));
    expect(await ids("/api/connections?channel=chat:a&user=ann")).toEqual([id(ann2)]);
    expect(await ids("/api/connections?user=nobody")).toEqual([]);
    expect(await ids("/api/connections?channel=chat:none")).toEqual([]);
    expect(await ids("/api/connections?limit=9", OTHER)).toEqual([id(eve)]);
    expect(await ids("/api/connections?user=ann", OTHER)).toEqual([id(eve)]);
    const { body } = await gateway.call("GET", `/api/connections/${id(bob)}`);
    expect(body).toMatchObject({ user: "bob", address: "127.0.0.1", waitingBytes: 0 });
    expect(Math.abs(body.connectedAt - Date.now())).toBeLessThan(60_000);
    expect(body.subscriptions).toEqual([
      { channel: "chat:a", offset: 0, epoch: expect.any(String) },
    ]);
  });

  test("P2: a connection of another tenant is answered like one that does not exist", async () => {
    await using gateway = await start();
    const ann = await gateway.connect();
    const answers = [ann.welcome.connection, "x".repeat(16)].map((id) =>
      gateway.call("GET", `/api/connections/${id}`, undefined, OTHER),
    );
    const [theirs, none] = await Promise.all(answers);
    expect(theirs).toEqual(none as typeof theirs);
    expect(theirs?.status).toBe(404);
  });

  test("pages stay right while connections come and go: who stays is listed once", async () => {
    await using gateway = await start();
    const staying: RawClient[] = [];
    const leaving: RawClient[] = [];
    for (let n = 0; n < 8; n++) {
      staying.push(await gateway.connect());
      leaving.push(await gateway.connect({ sub: "bob" }));
    }
    const { items } = await all(gateway, "/api/connections?limit=3", undefined, async () => {
      // One that was listed goes, and one that was not yet; somebody new comes.
      await Promise.all([leaving.shift()?.close(), leaving.pop()?.close()]);
      if (leaving.length > 0) await gateway.connect({ sub: "eve" });
    });
    const seen = items.map(({ connection }) => connection);
    expect(new Set(seen).size).toBe(seen.length);
    for (const { welcome } of staying as Welcomed[]) expect(seen).toContain(welcome.connection);
  });
});

type Welcomed = RawClient & { readonly welcome: { readonly connection: string } };

describe("[HT7] faults 30: hostile pages", () => {
  test("limits, offsets and cursors that are none are 400", async () => {
    await using gateway = await start();
    const ann = await gateway.connect();
    for (const channel of ["a:1", "a:2", "b:1", "b:2"]) await ann.must("subscribe", { channel });
    await gateway.connect({ sub: "bob" });
    const next = async (path: string) => (await gateway.call("GET", path)).body.next as string;
    const ofA = await next("/api/channels?prefix=a:&limit=1");
    const ofAll = await next("/api/connections?limit=1");
    const ofPresence = await gateway.call("GET", "/api/channels/a:1/presence");
    expect(ofPresence.status).toBe(200);
    const bad = [
      "/api/channels?limit=0",
      "/api/channels?limit=-1",
      "/api/channels?limit=501",
      "/api/channels?limit=99999999999999999999",
      "/api/channels?limit=1e2",
      "/api/channels?limit=0x10",
      "/api/channels?limit=%2010",
      "/api/channels?limit=",
      "/api/channels?limit=NaN",
      "/api/channels?limit=1&limit=2",
      "/api/channels?limit[]=1",
      "/api/channels?lmit=1",
      "/api/channels?__proto__=1",
      "/api/channels?cursor=",
      "/api/channels?cursor=-1",
      "/api/channels?cursor=abc",
      `/api/channels?cursor=${"A".repeat(5_000)}`,
      `/api/channels?cursor=${ofA}`,
      `/api/channels?prefix=b:&cursor=${ofA}`,
      `/api/channels?cursor=${ofAll}`,
      `/api/connections?cursor=${ofA}`,
      `/api/connections?user=ann&cursor=${ofAll}`,
      `/api/channels/a:1/presence?cursor=${ofA}`,
      "/api/channels/a:1/presence?limit=501",
      "/api/connections?user=",
      `/api/connections?user=${"u".repeat(256)}`,
      "/api/connections?channel=a%20b",
      "/api/channels/a:1/history?limit=0",
      "/api/channels/a:1/history?before=0",
      "/api/channels/a:1/history?before=-5",
      "/api/channels/a:1/history?after=-1",
      "/api/channels/a:1/history?after=9007199254740992",
      "/api/channels/a:1/history?epoch=",
      "/api/channels/a%20b/history",
      "/api/channels/a:*/history",
      "/api/channels/%00/history",
      "/api/channels/%E0%A4%A/history",
      `/api/channels/${"x".repeat(256)}/history`,
      `/api/connections/${"x".repeat(65)}`,
    ];
    for (const path of bad) {
      const { status, body } = await gateway.call("GET", path);
      expect([path, status, Object.keys(body)]).toEqual([path, 400, ["error"]]);
    }
    const foreign = await gateway.call("GET", `/api/connections?cursor=${ofAll}`, undefined, OTHER);
    expect(foreign.status).toBe(400);
    expect(gateway.gateway.counters.faults).toBe(0);
  });
});
