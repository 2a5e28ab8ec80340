import { expect, test } from "bun:test";
import { jobsMain } from "./main.ts";

test("the figures of background work are taken", async () => {
  expect(await jobsMain(["--keys", "50"])).toBe(0);
  expect(await jobsMain(["--keys", "none"])).toBe(2);
});
