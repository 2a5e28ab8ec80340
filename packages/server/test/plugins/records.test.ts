/** Records of plugins, in a real database. */
import { expect, test } from "bun:test";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startTestGateway } from "@aldis/testkit";
import { loadConfig } from "../../src/config/load.ts";
import { startGateway } from "../../src/gateway.ts";
import {
  action,
  createAll,
  defineCollection,
  definePlugin,
  integer,
  text,
  z,
} from "../../src/plugins/index.ts";

const counts = defineCollection({
  name: "tally_counts",
  fields: { name: text(), count: integer() },
  key: ["name"],
});
const foreign = defineCollection({ name: "other", fields: { id: text() }, key: ["id"] });

const tally = definePlugin({
  name: "tally",
  store: createAll("tally", [counts]),
  actions: {
    tally: action({
      input: z.object({ name: z.string() }),
      async run({ session, input: { name } }, { records }) {
        const all = records(counts);
        const { tenant } = session.identity;
        const former = await all.get(tenant, { name });
        const count = (former?.count ?? 0) + 1;
        await all.put(tenant, { name, count });
        return { count };
      },
    }),
    tally_foreign: action({
      input: z.object({}),
      run: (_, { records }) => void records(foreign),
    }),
  },
});

test("records outlive the gateway, by tenant; a collection that is not the plugin's is a fault of its own", async () => {
  const folder = await mkdtemp(join(tmpdir(), "aldis-plugins-"));
  const config = { store: { url: `sqlite:${folder}/records.db` } };
  try {
    for (const expected of [1, 2]) {
      await using gateway = await startTestGateway({ plugins: [tally], config });
      const ann = await gateway.connect();
      expect(await ann.must("tally", { name: "a" })).toEqual({ count: expected });
      const eve = await gateway.connect({ tenant: "acme" });
      expect(await eve.must("tally", { name: "a" })).toEqual({ count: expected });
      expect((await ann.refused("tally_foreign", {})).code).toBe("internal");
      expect(gateway.logged.join()).toContain("plugin tally failed in action tally_foreign");
    }
  } finally {
    await rm(folder, { recursive: true });
  }
});

test("features that keep records are off without a store, and that is told unless it was asked for", async () => {
  for (const store of [{ url: "none" }, {}]) {
    const listen = { port: 0, host: "127.0.0.1" };
    const loaded = loadConfig({ file: { listen, store, broker: "redis://127.0.0.1:1" } });
    if (!loaded.ok) throw new Error("a config");
    const logged: string[] = [];
    const gateway = startGateway({
      config: loaded.config,
      write: (line) => void logged.push(line),
    });
    await gateway.close();
    const off = logged.some((line) => line.includes("a feature is off"));
    expect([store, off]).toEqual([store, !("url" in store)]);
  }
});

test("without a store such a plugin does not start", async () => {
  const failure = await startTestGateway({ plugins: [tally] }).then(
    () => "started",
    (error: Error) => error.message,
  );
  expect(failure).toBe("plugin tally: it keeps records, and there is no store: set store.url");
});
