/** Records of plugins, in a real database. */
import { expect, test } from "bun:test";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startTestGateway } from "@aldis/testkit";
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

test("without a store such a plugin does not start", async () => {
  const failure = await startTestGateway({ plugins: [tally] }).then(
    () => "started",
    (error: Error) => error.message,
  );
  expect(failure).toBe("plugin tally: it keeps records, and there is no store: set store.url");
});
