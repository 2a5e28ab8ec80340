import { expect, test } from "bun:test";
import { createFakeClock } from "@aldis/testkit";
import { createCounters } from "../observe/counters.ts";
import type { Records } from "../store/store.ts";
import { createAudit } from "./audit.ts";
import { ChangeRates } from "./change-rates.ts";
import type { ChangeRecord } from "./records.ts";
import type { TenantId } from "./tenant.ts";

const acme = "acme" as TenantId;

function opened(changesPerMinute = 2) {
  const clock = createFakeClock();
  const counters = createCounters();
  const kept: ChangeRecord[] = [];
  const rates = new ChangeRates({ clock, counters }, { changesPerMinute, bucketsMax: 10 });
  const changes = { append: async (_: TenantId, record: ChangeRecord) => void kept.push(record) };
  const audit = createAudit({ clock, rates, changes: changes as unknown as Records<ChangeRecord> });
  return { audit, kept, clock, counters };
}

const change = { action: "webhook.added", subject: "we_1" };

test("[TN6] P3: a tenant's own keys change so much in a minute, and an operator who acts for it what it likes", async () => {
  const { audit, kept, clock, counters } = opened();
  const note = (by: object) =>
    audit.note(acme, { ...change, by: { key: "k", ...by } }).then(
      () => "kept",
      ({ refusal }) => [refusal.error, refusal.retryAfterMs],
    );
  expect([await note({}), await note({}), await note({})]).toEqual([
    ...["kept", "kept"],
    ["rate_limited", 30_000],
  ]);
  expect(counters.rateLimited).toEqual({ changes: 1 });
  expect(await note({ acting: true })).toBe("kept");
  clock.advance(30_000);
  expect([await note({}), kept.length]).toEqual(["kept", 4]);
});

test("[TN6] an entry is short, whatever a feature puts into it", async () => {
  const { audit, kept } = opened(100);
  const by = { key: "k" };
  await audit.note(acme, { ...change, by, detail: { types: ["x".repeat(5_000)] } });
  expect(kept[0]).toMatchObject({ kind: "setting", about: acme, detail: { leftOut: true } });
  for (const wrong of [{ action: "Added" }, { action: "added" }, { subject: "x".repeat(201) }]) {
    expect(audit.note(acme, { ...change, by, ...wrong })).rejects.toBeInstanceOf(TypeError);
  }
  expect(kept).toHaveLength(1);
});
