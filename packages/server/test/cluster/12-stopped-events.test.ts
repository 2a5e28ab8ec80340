/** A gateway that stands still until others have buried it, and goes on then, before the eyes of a receiver; and an endpoint that comes after everybody. */
import { expect, test } from "bun:test";
import type { ConfigInput } from "@aldis/server";
import { eventually, startCluster, startPostgres, startRedis } from "@aldis/testkit";
import { startReceiver } from "../webhooks/receiver-server.ts";
import { toldOf } from "./support/event-crowd.ts";
import { REDIS_IS_WELL } from "./support/fast-cluster.ts";

const CONFIG: ConfigInput = {
  ...REDIS_IS_WELL.config,
  session: { resumeMs: 2_500 },
  outbound: { allowPrivate: ["127.0.0.1"] },
  jobs: { leaseMs: 2_000, pollMs: 100 },
  webhooks: { rereadMs: 1_000, graceMs: 500, sessionGraceMs: 5_000, beatMs: 250, leaseMs: 2_000 },
};
const CHANNEL = "room:a";

test("[WH20] [WH25] faults 4: a gateway stands still until it is buried, and goes on: what is told alternates, and ends with what is so", async () => {
  await using redis = await startRedis();
  await using postgres = await startPostgres();
  const url = await postgres.createDatabase();
  const database = new URL(url).pathname.slice(1);
  await using cluster = await startCluster({ config: { ...CONFIG, store: { url } }, redis });
  await using receiver = startReceiver();
  const [still, other] = [cluster.node(0), cluster.node(1)];
  const holds = (kind: string) =>
    postgres.psql(`SELECT count(*) FROM aldis_webhooks_holds WHERE kind = '${kind}'`, database);

  // Both are there before the endpoint is.
  const ann = await still.gateway.connect({ sub: "ann" });
  const bob = await other.gateway.connect({ sub: "bob" });
  for (const client of [ann, bob]) await client.must("subscribe", { channel: CHANNEL });
  const types = ["session.connected", "session.disconnected", "channel.occupied"];
  const body = { url: receiver.url, types: [...types, "channel.vacated"] };
  const answer = await other.gateway.call("POST", "/api/webhooks", body);
  expect(answer.status).toBe(200);
  receiver.secret = answer.body.secret;
  await eventually("both nodes to follow what they have", async () => {
    return (await holds("channel")) === "2" && (await holds("session")) === "2";
  });

  await still.pause();
  const over = () => toldOf(receiver.events, "session");
  await eventually(
    "what it held to be let go",
    async () => (await holds("session")) === "1",
    30_000,
  );
  await eventually("its session to be told to be over", () => over().size === 1, 30_000);
  expect(toldOf(receiver.events, "channel").size).toBe(0);
  still.resume();
  await still.untilReady();
  ann.cut();
  await bob.close(1000);
  await eventually(
    "nothing to be followed",
    async () => {
      return (await holds("session")) === "0" && (await holds("channel")) === "0";
    },
    40_000,
  );
  const logged = "SELECT count(*) FROM aldis_webhooks_events";
  const count = Number(await postgres.psql(logged, database));
  const seqs = () => new Set(receiver.events.map(({ seq }) => seq));
  await eventually("all to have come", () => seqs().size >= count, 30_000);

  const events = [...new Map(receiver.events.map((event) => [event.seq, event])).values()];
  for (const [began, ended, kind] of [
    ["connected", "disconnected", "session"],
    ["occupied", "vacated", "channel"],
  ] as const) {
    const told = toldOf(events, kind);
    expect(told.size).toBe(kind === "session" ? 2 : 1);
    for (const [name, all] of told) {
      // They were there before, so an end comes first.
      const alternating = all.map((_, n) => (n % 2 === 0 ? ended : began));
      expect([name, all, all.at(-1)]).toEqual([name, alternating, ended]);
    }
  }
  expect(receiver.wrong).toEqual([]);
}, 180_000);
