import { expect, test } from "bun:test";
import { CLOSE } from "@aldis/protocol";
import { closeLabel } from "./close-label.ts";

test("what this side closed is named for its cause", () => {
  expect(closeLabel(CLOSE.slowConsumer.code, { us: true })).toBe("slow_consumer");
  expect(closeLabel(1008, { us: true })).toBe("policy");
  const all = Object.values(CLOSE).map(({ code }) => closeLabel(code, { us: true }));
  expect(new Set(all).size).toBe(all.length);
  expect(all).not.toContain("other");
});

test("P3: a client's code is never taken for one of ours, and makes no label of its own", () => {
  expect(closeLabel(CLOSE.slowConsumer.code, { us: false })).toBe("client_other");
  const labels = new Set<string>();
  for (let code = 1000; code < 5000; code++) labels.add(closeLabel(code, { us: false }));
  expect(labels.size).toBe(6);
});
