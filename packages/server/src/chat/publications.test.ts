import { expect, test } from "bun:test";
import { createFakeClock, eventually } from "@aldis/testkit";
import { BrokerUnavailable } from "../broker-unavailable.ts";
import type { PluginContext } from "../plugins/index.ts";
import { type ChatConfig, chatSchema } from "./config.ts";
import { createPublications } from "./publications.ts";
import { channel, tenantNamed } from "./test/lone-chat.ts";

test("[CT25]: while the broker answers late, what comes meanwhile waits, and none of it is lost", async () => {
  const clock = createFakeClock();
  const published: unknown[] = [];
  let away = true;
  const late: (() => void)[] = [];
  const context = {
    ...{ clock, config: chatSchema.parse({}), count() {} },
    channels: {
      async publish(_: unknown, { data }: { data: unknown }) {
        if (away) throw new BrokerUnavailable("away");
        await new Promise<void>((resolve) => late.push(resolve));
        published.push(data);
      },
    },
  } as unknown as PluginContext<ChatConfig>;
  const publications = createPublications(context);
  const say = (data: number) =>
    publications.publish({
      ...{ tenant: tenantNamed("t"), channel: channel("chat:a") },
      ...{ event: "chat.message", data, once: `m${data}` },
    });
  for (const n of [1, 2]) await say(n);
  away = false;
  clock.advance(250);
  await eventually("the first is tried", () => late.length === 1);
  // More comes while it is on its way, and the time to try again passes.
  await say(3);
  clock.advance(10_000);
  await eventually("all are published", () => {
    for (const answer of late.splice(0)) answer();
    clock.advance(10_000);
    return published.length >= 3;
  });
  expect(published).toEqual([1, 2, 3]);
  publications.close();
});
