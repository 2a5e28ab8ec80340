// Background work that can be checked from outside: how often each key was asked for stands in records, and how far that was done. Every turn leaves two lines in a file.
import { appendFileSync } from "node:fs";
import {
  createAll,
  defineCollection,
  definePlugin,
  integer,
  pluginRoute,
  text,
  z,
} from "@aldis/server/plugin";

const counts = defineCollection({
  name: "counting_counts",
  fields: { key: text(), asked: integer(), done: integer() },
  key: ["key"],
});

export default definePlugin({
  name: "counting",
  config: z.strictObject({ journal: z.string(), turnMs: z.number().int() }),
  store: createAll("counting", [counts]),
  setup(context) {
    const { journal, turnMs } = context.config;
    const records = context.records(counts);
    const note = (what: string, key: string, turn: number) =>
      appendFileSync(journal, `${what} ${process.pid} ${key} ${turn}\n`);
    let turns = 0;
    const job = context.job({
      name: "count",
      queue: "webhooks",
      async run({ tenant, key }) {
        const turn = ++turns;
        note("begin", key, turn);
        const record = await records.get(tenant, { key });
        await new Promise<void>((resolve) => context.clock.setTimer(turnMs, resolve));
        if (record !== undefined) {
          const { asked } = record;
          await records.update(tenant, { key }, { done: asked }, { done: { below: asked } });
        }
        note("end", key, turn);
        return undefined;
      },
    });
    return {
      routes: [
        pluginRoute(
          {
            method: "post",
            path: "/api/counting/{key}",
            access: "publish",
            tag: "Counting",
            summary: "Ask for work",
            description: "Counted, and woken.",
            params: z.object({ key: z.string() }),
            answer: z.object({ asked: z.number() }),
          },
          async ({ tenant, params: { key } }) => {
            const { record } = await records.insert(tenant, { key, asked: 0, done: 0 });
            const asked = record.asked + 1;
            await records.update(tenant, { key }, { asked });
            await job.wake(tenant, key);
            return { asked };
          },
        ),
        pluginRoute(
          {
            method: "get",
            path: "/api/counting",
            access: "publish",
            tag: "Counting",
            summary: "What was done",
            description: "How many keys are not done.",
            answer: z.object({ open: z.number() }),
          },
          async ({ tenant }) => {
            const all = await records.list(tenant, { index: "key", limit: 1_000 });
            return { open: all.filter(({ asked, done }) => done < asked).length };
          },
        ),
      ],
    };
  },
});
