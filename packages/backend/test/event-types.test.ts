/** Types of webhook events: those that docs/webhooks.md lists are those that the SDK knows. */
import { expect, test } from "bun:test";
import { join } from "node:path";
import type { WebhookType } from "../src/index.ts";

const KNOWN: Readonly<Record<WebhookType, true>> = {
  "session.connected": true,
  "session.disconnected": true,
  "channel.occupied": true,
  "channel.vacated": true,
  "member.joined": true,
  "member.left": true,
  "message.published": true,
  "notification.acknowledged": true,
  "chat.message": true,
  "chat.edited": true,
  "chat.deleted": true,
  "chat.room_created": true,
  "webhook.test": true,
};

test("every type of event that is documented has its shape in the SDK", async () => {
  const guide = await Bun.file(join(import.meta.dir, "../../../docs/webhooks.md")).text();
  const table = /## Types of events\n(.*?)\n## /s.exec(`${guide}\n## `)?.[1] ?? "";
  const rows = table.split("\n").filter((line) => /^\| `[a-z]+\./.test(line));
  const listed = rows.flatMap((row) => [...(row.split("|")[1] ?? "").matchAll(/`([^`]+)`/g)]);
  expect(listed.map(([, type]) => String(type)).toSorted()).toEqual(Object.keys(KNOWN).toSorted());
});
