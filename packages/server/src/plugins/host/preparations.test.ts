import { expect, test } from "bun:test";
import { createFakeClock } from "@aldis/testkit";
import { createCounters } from "../../observe/counters.ts";
import { createLog } from "../../observe/log.ts";
import { createTenantTallies } from "../../observe/tenant-tallies.ts";
import { StoreUnavailable } from "../../store/store-unavailable.ts";
import { PluginFaults } from "./plugin-faults.ts";
import { Preparations } from "./preparations.ts";

function open() {
  const clock = createFakeClock();
  const counters = createCounters(createTenantTallies({ max: 1, first: [] }));
  const log = createLog("silent", () => {});
  const waiting: (() => void)[] = [];
  const preparations = new Preparations({ clock, whenOpen: (run) => void waiting.push(run) });
  const opened = () => {
    for (const run of waiting.splice(0)) run();
  };
  return {
    clock,
    counters,
    preparations,
    opened,
    faults: new PluginFaults("one", { counters, log }),
  };
}

async function settle(): Promise<void> {
  for (let turns = 0; turns < 10; turns++) await Promise.resolve();
}

test("P5: what a plugin has to know is read when the store is open, and again until it succeeds", async () => {
  const { clock, counters, preparations, opened, faults } = open();
  const outcomes = [new StoreUnavailable("away"), new Error("broken"), undefined];
  let asked = 0;
  preparations.add(async () => {
    const outcome = outcomes[asked++];
    if (outcome !== undefined) throw outcome;
  }, faults);
  expect([asked, preparations.areDone]).toEqual([0, false]);
  opened();
  await settle();
  expect([asked, preparations.areDone]).toEqual([1, false]);
  for (const expected of [2, 3]) {
    clock.advance(500);
    await settle();
    expect(asked).toBe(expected);
  }
  expect(preparations.areDone).toBe(true);
  clock.advance(10_000);
  await settle();
  expect(asked).toBe(3);
  // A store that is away is nobody's fault.
  expect(counters.pluginFaults.get("one")?.["prepare"]).toBe(1);
});

test("nothing is read for a gateway that stops", async () => {
  const { clock, preparations, opened, faults } = open();
  let asked = 0;
  const close = preparations.add(async () => {
    asked++;
    throw new StoreUnavailable("away");
  }, faults);
  opened();
  await settle();
  close();
  clock.advance(10_000);
  await settle();
  expect([asked, preparations.areDone]).toEqual([1, false]);
});
