import { expect, test } from "bun:test";
import { createECDH, randomBytes } from "node:crypto";
import { createFakeClock } from "@aldis/testkit";
import { type Records, Unavailable } from "../../plugins/index.ts";
import type { SubscriptionRecord } from "../records.ts";
import { ACME } from "../test/world.ts";
import { Subscriptions } from "./subscriptions.ts";

/** Another user takes the browser back so many times, each in between. */
function openContended(times: number) {
  const kept: SubscriptionRecord[] = [];
  let left = times;
  const records = {
    async put(_: unknown, record: SubscriptionRecord) {
      if (left-- > 0) return { written: false, record: { ...record, user: "other" } };
      kept.push(record);
      return { written: true, record };
    },
    remove: async () => true,
    list: async () => kept,
  } as unknown as Records<SubscriptionRecord>;
  const http = { problemOf: () => undefined };
  const config = { subscriptionsPerUser: 10 };
  const clock = createFakeClock();
  return {
    kept,
    subscriptions: new Subscriptions({ clock, config, http, records: () => records }),
  };
}

const subscription = {
  endpoint: "https://push.example.com/x",
  p256dh: createECDH("prime256v1").generateKeys("base64url"),
  auth: randomBytes(16).toString("base64url"),
};

test("P4 [NT13]: a subscription is acknowledged when it is kept, however many subscribe with the browser at once", async () => {
  const { kept, subscriptions } = openContended(3);
  await subscriptions.add(ACME, "ann", subscription);
  expect(kept.map(({ user }) => user)).toEqual(["ann"]);
  const never = openContended(Number.POSITIVE_INFINITY);
  const error = await never.subscriptions.add(ACME, "ann", subscription).catch((thrown) => thrown);
  expect(error).toBeInstanceOf(Unavailable);
});
