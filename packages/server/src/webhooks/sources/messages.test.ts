import { expect, test } from "bun:test";
import type { ChannelName } from "@aldis/protocol";
import { DEFAULT_TENANT } from "../../plugins/index.ts";
import type { WebhookEvent } from "../recorder.ts";
import { createEmittedSource } from "./emitted.ts";
import { createMessageSource } from "./messages.ts";

function open(wants: (type: string, namespace?: string) => boolean = () => true) {
  const recorded: WebhookEvent[] = [];
  const recorder = {
    wants: (_: string, type: string, namespace?: string) => wants(type, namespace),
    async record(_: string, event: WebhookEvent) {
      recorded.push(event);
    },
  };
  return { recorded, recorder };
}

test("[WH21] an answer depends on the record, unless the operator says otherwise; nobody is asked for what nobody wants", () => {
  const { recorder } = open((type, namespace) => type === "message.published" && namespace === "a");
  for (const mustBeKept of [true, false]) {
    const { recording } = createMessageSource({ clock: { nowMs: () => 5 }, recorder, mustBeKept });
    expect(recording.onFailure).toBe(mustBeKept ? "refuse" : "pass");
    expect(["a", "b"].map((name) => recording.concerns(DEFAULT_TENANT, name))).toEqual([
      true,
      false,
    ]);
  }
});

test("[WH21] the longest names and numbers make ids that differ, and fit", async () => {
  const { recorded, recorder } = open();
  const { recording } = createMessageSource({
    clock: { nowMs: () => 5 },
    recorder,
    mustBeKept: true,
  });
  const published = {
    ...{ tenant: DEFAULT_TENANT, event: undefined, from: undefined, data: null, repeated: false },
    epoch: "e".repeat(32),
    offset: Number.MAX_SAFE_INTEGER,
  };
  for (const last of ["a", "b"]) {
    const channel = `${"c".repeat(254)}${last}` as ChannelName;
    await recording.run({ ...published, channel });
  }
  const ids = recorded.map(({ id }) => id);
  expect(new Set(ids).size).toBe(2);
  for (const id of ids) expect(id.length).toBeLessThanOrEqual(512);
});

test("[WH24] what is emitted is recorded under its type, for the namespace of its channel, if anybody wants it", async () => {
  const asked: unknown[] = [];
  const { recorded, recorder } = open((type, namespace) => {
    asked.push([type, namespace]);
    return type !== "poll.opened";
  });
  const { event } = createEmittedSource({ recorder });
  const emitted = { tenant: DEFAULT_TENANT, id: "1", atMs: 7 };
  await event({ ...emitted, type: "poll.opened", data: {} });
  await event({ ...emitted, type: "poll.closed", data: { channel: "room:a" } });
  await event({ ...emitted, type: "poll.gone", data: { channel: 7 } });
  expect(asked).toEqual([
    ["poll.opened", undefined],
    ["poll.closed", "room"],
    ["poll.gone", undefined],
  ]);
  expect(recorded).toEqual([
    {
      type: "poll.closed",
      id: "poll.closed:1",
      atMs: 7,
      namespace: "room",
      data: { channel: "room:a" },
    },
    { type: "poll.gone", id: "poll.gone:1", atMs: 7, data: { channel: 7 } },
  ]);
});
