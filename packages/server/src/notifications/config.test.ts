import { expect, test } from "bun:test";
import { notificationsSchema } from "./config.ts";

test("[NT13] keys that are none are refused with how to make a pair, and are not repeated", () => {
  const push = { subject: "mailto:ops@example.com", publicKey: "p", privateKey: "hunter2" };
  const { error } = notificationsSchema.safeParse({ push });
  const told = error?.issues.map(({ path, message }) => [path.at(-1), message]);
  const message = "is no VAPID key; `aldis key vapid` makes a pair";
  expect(told).toEqual([
    ["publicKey", message],
    ["privateKey", message],
  ]);
  expect(JSON.stringify(error)).not.toContain("hunter2");
});
