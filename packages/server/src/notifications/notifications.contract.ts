/**
 * The feature over any kind of database: what two nodes do at once, and all of it against a model: sends, collapses, acknowledgements and expiries in any order, by
 * devices that come and go on two nodes.
 */
import { describe, expect, test } from "bun:test";
import { createSeededRandom, eventually, type SeededRandom } from "@aldis/testkit";
import type { FreshDatabase } from "../store/test/bench.ts";
import { createWorld, type TestDevice, type World } from "./test/world.ts";

const USERS = ["ann", "bob"];
const STEPS = 150;
/** Some that once failed stay here. */
const SEEDS = [
  1,
  2,
  3,
  20_261_122,
  138_260_249,
  1_350_443_949,
  Math.floor(Math.random() * 2 ** 31),
];

type Modelled = {
  readonly id: string;
  readonly user: string | "everyone";
  readonly urgent: boolean;
  readonly expiresAt: number;
  readonly collapseKey: string | undefined;
  gone: boolean;
  /** By whom. */
  readonly acknowledged: Set<string>;
};

type Run = {
  readonly world: World;
  readonly random: SeededRandom;
  /** In the order in which they were sent. */
  readonly sent: Modelled[];
  readonly devices: TestDevice[];
};

function waitingFor({ sent, world }: Run, user: string): string[] {
  const now = world.clock.nowMs();
  const waiting = sent.filter(
    (each) =>
      (each.user === user || each.user === "everyone") &&
      !each.gone &&
      !each.acknowledged.has(user) &&
      each.expiresAt > now,
  );
  return [...waiting.filter((each) => each.urgent), ...waiting.filter((each) => !each.urgent)].map(
    ({ id }) => id,
  );
}

async function send(run: Run): Promise<void> {
  const { world, random, sent } = run;
  const user = random.pick([...USERS, ...USERS, "everyone"]);
  const collapseKey = random.chance(0.4) ? random.pick(["a", "b"]) : undefined;
  const urgent = random.chance(0.3);
  const expiresInMs = random.pick([5_000, 60_000, 3_600_000]);
  const answer = await random.pick(world.nodes).send({
    ...(user === "everyone" ? { tenant: true } : { user }),
    title: `${sent.length}`,
    priority: urgent ? "urgent" : "normal",
    expiresInMs,
    collapseKey,
    idempotencyKey: random.chance(0.5) ? `k${sent.length}` : undefined,
  });
  for (const each of sent) {
    const same = each.user === user && each.collapseKey === collapseKey;
    // Of the tenant's a mark does not take one away: it is everyone's.
    const acknowledged = user !== "everyone" && each.acknowledged.has(user);
    if (collapseKey !== undefined && same && !acknowledged) each.gone = true;
  }
  const { id, expiresAt } = answer;
  sent.push({ id, user, urgent, expiresAt, collapseKey, gone: false, acknowledged: new Set() });
}

/** Two devices of the user at once: together they are told each one once. */
async function acknowledge(run: Run): Promise<void> {
  const { world, random, sent, devices } = run;
  const device = devices.length === 0 ? undefined : random.pick(devices);
  if (device === undefined || sent.length === 0) return;
  const user = device.session.identity.userId;
  const before = new Set(waitingFor(run, user));
  const asking = devices.filter(({ session }) => session.identity.userId === user).slice(0, 2);
  // What has ended may have been removed, and then names nothing.
  const there = sent.filter((each) => !each.gone && each.expiresAt > world.clock.nowMs());
  const upTo = random.chance(0.2) && there.length > 0 ? random.pick(there) : undefined;
  const some = Array.from({ length: random.between(1, 4) }, () => random.pick(sent).id);
  const ask = upTo === undefined ? { ids: some } : { upTo: upTo.id };
  const answers = await Promise.all(
    asking.map((each) => each.ask<{ acknowledged: string[] }>("acknowledge_notification", ask)),
  );
  const mine = upTo !== undefined && (upTo.user === user || upTo.user === "everyone");
  const reach = mine ? sent.slice(0, sent.indexOf(upTo) + 1).map(({ id }) => id) : [];
  const named = new Set(upTo === undefined ? some : reach);
  // A tenant's one that has expired or gone is not looked up any more.
  const expected = [...before].filter((id) => named.has(id));
  const told = answers.flatMap(({ acknowledged }) => acknowledged);
  expect(told.sort()).toEqual(expected.sort());
  for (const each of sent) if (told.includes(each.id)) each.acknowledged.add(user);
}

async function check(run: Run): Promise<void> {
  for (const user of USERS) {
    const device = run.random.pick(run.world.nodes).connectWith(user);
    const expected = waitingFor(run, user);
    const seen: string[] = [];
    let cursor: string | undefined;
    do {
      const page = await device.ask<{
        notifications: { id: string }[];
        unread: number;
        next?: string;
      }>("fetch_unacknowledged_notifications", { limit: run.random.between(1, 7), cursor });
      expect(page.unread).toBe(expected.length);
      seen.push(...page.notifications.map(({ id }) => id));
      cursor = page.next;
    } while (cursor !== undefined);
    expect(seen).toEqual(expected);
    // What it was pushed on connecting is the same.
    await eventually("all pushed", () => device.told.length >= expected.length);
    expect(device.told.map(({ id }) => id)).toEqual(expected);
    device.leave();
  }
}

async function step(run: Run): Promise<void> {
  const { world, random, devices } = run;
  // No two in one moment: between the logs the order is that of the clock.
  world.clock.advance(1);
  const what = random.next();
  if (what < 0.45) await send(run);
  else if (what < 0.65) await acknowledge(run);
  else if (what < 0.75 && devices.length < 6) {
    devices.push(random.pick(world.nodes).connectWith(random.pick(USERS)));
  } else if (what < 0.8) devices.splice(random.between(0, devices.length), 1)[0]?.leave();
  else if (what < 0.85) world.clock.advance(random.pick([5_000, 60_000]));
  else if (what < 0.9) await random.pick(world.nodes).round();
  else if (what < 0.93 && run.sent.length > 0) await withdraw(run);
  else await check(run);
}

async function withdraw({ world, random, sent }: Run): Promise<void> {
  const each = random.pick(sent);
  const ask = { params: { id: each.id } };
  await random.pick(world.nodes).http("delete", "/api/notifications/{id}", ask);
  if (each.user === "everyone" || !each.acknowledged.has(each.user)) each.gone = true;
}

/** Every kind of database must pass this; called once for each. */
export function notificationsContract(name: string, open: () => Promise<FreshDatabase>): void {
  describe(`notifications over ${name}`, () => {
    test("P4 [NT7]: of two devices on two nodes at once one is told that it did it", async () => {
      await using world = await createWorld({ nodes: 2, database: await open() });
      const devices = world.nodes.map((node) => node.connect("ann"));
      for (let round = 0; round < 20; round++) {
        const audience = round % 2 === 0 ? { user: "ann" } : { tenant: true };
        const { id } = await world.node(0).send({ ...audience, title: "x" });
        const answers = await Promise.all(
          devices.map((device) =>
            device.ask<{ acknowledged: string[] }>("acknowledge_notification", { id }),
          ),
        );
        expect(answers.flatMap(({ acknowledged }) => acknowledged)).toEqual([id]);
      }
    });

    test("P4 [NT5] [NT11]: one idempotency key, one collapse key, on two nodes at once", async () => {
      await using world = await createWorld({ nodes: 2, database: await open() });
      const ann = world.node(0).connect("ann");
      for (let round = 0; round < 10; round++) {
        const one = { user: "ann", title: "one", idempotencyKey: `k${round}` };
        const other = { user: "ann", title: "other", collapseKey: "c" };
        const six = Array.from({ length: 6 }, (_, n) => world.node(n % 2));
        const same = await Promise.all(six.map((node) => node.send(one)));
        expect(new Set(same.map(({ id }) => id)).size).toBe(1);
        await Promise.all(six.map((node) => node.send(other)));
        const page = await ann.ask<{ unread: number }>("fetch_unacknowledged_notifications");
        expect(page.unread).toBe(round + 2);
      }
    });

    for (const seed of SEEDS) {
      test(`[NT3] [NT5] [NT7] [NT9] as the model has it: seed ${seed}`, async () => {
        await using world = await createWorld({
          nodes: 2,
          seed,
          database: await open(),
          config: { pieceSize: 500, idempotencyMs: 1 },
        });
        const run: Run = { world, random: createSeededRandom(seed), sent: [], devices: [] };
        for (let n = 0; n < STEPS; n++) await step(run);
        await check(run);
      }, 60_000);
    }
  });
}
