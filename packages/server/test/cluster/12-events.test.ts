/** Three gateways over a Redis and a PostgreSQL, people who come, publish, break and go; and gateways that are killed amid all of it, before the eyes of a receiver. */
import { expect, test } from "bun:test";
import type { ConfigInput } from "@aldis/server";
import {
  type Cluster,
  createSeededRandom,
  eventually,
  startCluster,
  startPostgres,
  startRedis,
} from "@aldis/testkit";
import {
  type ReceivedEvent,
  type ReceiverServer,
  startReceiver,
} from "../webhooks/receiver-server.ts";
import { EventPerson, type EventTally, publishedIn, toldOf } from "./support/event-crowd.ts";
import { REDIS_IS_WELL } from "./support/fast-cluster.ts";

const RESUME_MS = 2_500;

const CONFIG: ConfigInput = {
  ...REDIS_IS_WELL.config,
  session: { resumeMs: RESUME_MS },
  outbound: { allowPrivate: ["127.0.0.1"] },
  jobs: { leaseMs: 2_000, pollMs: 100 },
  webhooks: { rereadMs: 200, graceMs: 1_000, sessionGraceMs: 6_000, beatMs: 250, leaseMs: 2_000 },
};
const TYPES = [
  "message.published",
  ...["session.connected", "session.disconnected", "channel.occupied", "channel.vacated"],
  ...["member.joined", "member.left"],
];

/** Adds it, and waits until each node knows it. */
async function addEndpoint(cluster: Cluster, receiver: ReceiverServer): Promise<void> {
  const body = { url: receiver.url, types: TYPES };
  const { status, body: answer } = await cluster
    .node(0)
    .gateway.call("POST", "/api/webhooks", body);
  expect(status).toBe(200);
  receiver.secret = answer.secret;
  for (const [place, { gateway }] of cluster.nodes.entries()) {
    const channel = `probe:${place}`;
    await eventually(`node ${place} to know it`, async () => {
      await gateway.publish(channel, 1);
      return receiver.events.some(({ data }) => data["channel"] === channel);
    });
  }
}

/** What came, each once, in its order. Fails when one number stood for two events. */
function receivedBy({ events }: ReceiverServer): readonly ReceivedEvent[] {
  const bySeq = new Map<number, ReceivedEvent>();
  for (const event of events) {
    const known = bySeq.get(event.seq);
    if (known !== undefined) expect(event).toEqual(known);
    else bySeq.set(event.seq, event);
  }
  return [...bySeq.values()].sort((a, b) => a.seq - b.seq);
}

test("P4: [WH20] [WH21] [WH22] [WH23] faults 12: whichever gateway is killed, all that was acknowledged and all that is over is told, once", async () => {
  await using redis = await startRedis();
  await using postgres = await startPostgres();
  const url = await postgres.createDatabase();
  const database = new URL(url).pathname.slice(1);
  await using cluster = await startCluster({ config: { ...CONFIG, store: { url } }, redis });
  await using receiver = startReceiver();
  await addEndpoint(cluster, receiver);

  const random = createSeededRandom(Date.now() % 1e9);
  const tally: EventTally = {
    ...{ going: true, acknowledged: new Set(), sessions: new Set(), resumed: 0 },
  };
  const people = Array.from(
    { length: 12 },
    (_, n) => new EventPerson({ tally, crowd: cluster, random }, `person-${n}`),
  );
  const living = Promise.all(people.map((person) => person.live()));
  const goesOn = async (count: number) => {
    const until = tally.acknowledged.size + count;
    await eventually("the crowd to go on", () => tally.acknowledged.size >= until, 20_000);
  };
  await goesOn(100);
  for (let round = 0; round < 4; round++) {
    await goesOn(random.between(20, 120));
    const doomed = cluster.node(random.between(0, 2));
    if (round === 2) await doomed.drain();
    else await doomed.kill();
    await goesOn(random.between(20, 60));
    await doomed.start();
  }
  await goesOn(50);
  tally.going = false;
  await living;
  for (const [n, person] of people.entries()) {
    if (n % 2 === 0) await person.goodbye();
    else person.leave();
  }

  const isOver = () => {
    const told = toldOf(receivedBy(receiver), "session");
    const all = [...told.values()].every((types) => types.at(-1) === "disconnected");
    return all ? told : undefined;
  };
  const sessions = await eventually("all sessions to be told to be over", isOver, 40_000);
  await eventually(
    "nothing to be followed",
    async () =>
      (await postgres.psql("SELECT count(*) FROM aldis_webhooks_holds", database)) === "0",
    40_000,
  );
  const logged = "SELECT count(*) FROM aldis_webhooks_events";
  const count = Number(await postgres.psql(logged, database));
  await eventually("all to have come", () => receivedBy(receiver).length >= count, 40_000);
  const events = receivedBy(receiver);
  const seed = { seed: random.seed };

  const told = publishedIn(events);
  const untold = [...tally.acknowledged].filter((place) => !new Set(told).has(place));
  expect([seed, untold]).toEqual([seed, []]);
  expect(new Set(told).size).toBe(told.length);

  const wrong = [...tally.sessions].filter(
    (id) => String(sessions.get(id)) !== "connected,disconnected",
  );
  expect([seed, wrong.map((id) => [id, sessions.get(id)])]).toEqual([seed, []]);
  expect(tally.resumed).toBeGreaterThan(0);

  for (const [kind, began, over] of [
    ["channel", "occupied", "vacated"],
    ["member", "joined", "left"],
  ] as const) {
    for (const [name, types] of toldOf(events, kind)) {
      const alternating = types.map((_, n) => (n % 2 === 0 ? began : over));
      expect([seed, name, types]).toEqual([seed, name, alternating]);
      expect([seed, name, types.at(-1)]).toEqual([seed, name, over]);
    }
  }
  expect(new Set(events.map(({ id }) => id)).size).toBe(events.length);
  expect(events.map(({ seq }) => seq)).toEqual(events.map((_, n) => n + 1));
  expect(receiver.wrong).toEqual([]);
}, 300_000);
