/** The built package under Bun, and under Node with what Node 18 does not have taken away; `bun run runtimes` does the others. */
import { expect, test } from "bun:test";
import { checkRuntime } from "./runtimes/check-runtime.ts";
import { NODE } from "./support/node.ts";

test("the SDK does what it must under Bun", async () => {
  const { areas, problems } = await checkRuntime("bun", process.execPath);
  expect(problems).toEqual([]);
  expect(areas.length).toBeGreaterThan(7);
}, 60_000);

test("the SDK does what it must as it would under Node 18", async () => {
  const flags = ["--no-experimental-global-webcrypto"];
  expect((await checkRuntime("node", NODE, { flags })).problems).toEqual([]);
}, 60_000);
