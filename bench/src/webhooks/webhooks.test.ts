import { expect, test } from "bun:test";
import { webhooksMain } from "./main.ts";

test("the figures of webhooks are taken, and every event arrives", async () => {
  expect(await webhooksMain(["--ms", "100"])).toBe(0);
  expect(await webhooksMain(["--ms", "none"])).toBe(2);
}, 60_000);
