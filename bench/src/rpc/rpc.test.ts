import { expect, test } from "bun:test";
import { rpcMain } from "./main.ts";

test("the figures of rpc are taken, and every call is answered right", async () => {
  expect(await rpcMain(["--ms", "100", "--rounds", "1"])).toBe(0);
  expect(await rpcMain(["--ms", "none"])).toBe(2);
}, 60_000);
