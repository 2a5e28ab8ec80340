import { expect, test } from "bun:test";
import { type NodeRecord, readRecord, writeRecord } from "./node-record.ts";

const record: NodeRecord = {
  name: "a",
  version: "1.2.3",
  role: "worker",
  queues: ["webhooks", "push"],
  startedAtMs: 1,
  draining: true,
  connections: 2,
  capacity: 3,
  admitPerSecond: 4,
  loopLagMs: 5.5,
};

test("what is written is read", () => {
  expect(readRecord("a-1", writeRecord(record))).toEqual(record);
});

test("faults 36: a record of a later version is read as far as it is understood", () => {
  const later = JSON.stringify({ ...record, v: 7, shiny: { new: true }, draining: "soon" });
  expect(readRecord("a-1", later)).toEqual({ ...record, draining: false });
});

test.each([undefined, "", "[]", "null", "{", '{"name":7,"connections":"many","__proto__":{}}'])(
  "a node whose record is broken (%p) is still a node",
  (text) => {
    expect(readRecord("a-1", text)).toEqual({
      ...{
        name: "a-1",
        version: "unknown",
        role: "all",
        queues: [],
        startedAtMs: 0,
        draining: false,
      },
      ...{ connections: 0, capacity: 0, admitPerSecond: 0, loopLagMs: 0 },
    });
  },
);
