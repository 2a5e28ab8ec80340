/** faults 10: the database of a gateway is away. What its users see of that. */
import { expect, test } from "bun:test";
import { eventually, startPostgres, startTestGateway } from "@aldis/testkit";
import {
  action,
  createAll,
  defineCollection,
  definePlugin,
  integer,
  text,
  z,
} from "../../src/plugins/index.ts";

const NOTES = defineCollection({
  name: "notes",
  fields: { book: text(), n: integer(), once: text() },
  key: ["book", "n"],
  counted: "n",
  indexes: { once: { fields: ["book", "once"], unique: true } },
});

const notes = definePlugin({
  name: "notes",
  store: createAll("notes", [NOTES]),
  actions: {
    note: action({
      input: z.object({ once: z.string() }),
      async run({ session, input: { once } }, { records }) {
        const note = { book: "a", n: 0, once };
        const { record } = await records(NOTES).append(session.identity.tenant, note);
        return { n: record.n };
      },
    }),
  },
});

async function isReady(url: string): Promise<boolean> {
  return (await fetch(`${url}/health/ready`)).ok;
}

for (const [what, takeAway, bringBack] of [
  ["stopped", "stop", "start"],
  ["killed", "kill", "start"],
  ["frozen", "pause", "resume"],
] as const) {
  test(`faults 10: PostgreSQL is ${what}: users stay connected, writes are refused for the moment, and all heals`, async () => {
    await using postgres = await startPostgres();
    const store = { url: await postgres.createDatabase(), timeoutMs: 1_000 };
    // Two nodes on one database.
    await using first = await startTestGateway({ plugins: [notes], config: { store } });
    await using second = await startTestGateway({ plugins: [notes], config: { store } });
    const ann = await first.connect();
    const bob = await second.connect({ sub: "bob" });
    expect(await ann.must("note", { once: "1" })).toEqual({ n: 1 });
    expect(await bob.must("note", { once: "2" })).toEqual({ n: 2 });

    await postgres[takeAway]();
    expect(await ann.refused("note", { once: "3" })).toMatchObject({
      ...{ code: "unavailable", temporary: true },
    });
    await eventually("no node to be ready", async () => {
      return !(await isReady(first.url)) && !(await isReady(second.url));
    });
    // What needs no database goes on.
    await ann.must("subscribe", { channel: "lobby" });
    await ann.must("publish", { channel: "lobby", event: "e", data: 1 });

    await postgres[bringBack]();
    await eventually("both nodes to be ready", async () => {
      return (await isReady(first.url)) && (await isReady(second.url));
    });
    // It may have happened when its answer was lost: once, in any case.
    const again = await ann.must("note", { once: "3" });
    expect(await bob.must("note", { once: "3" })).toEqual(again);
    expect(await bob.must("note", { once: "1" })).toEqual({ n: 1 });
    expect(await ann.must("note", { once: "4" })).toEqual({ n: 4 });
  });
}
