import { expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { eventually, SECRET } from "@aldis/testkit";
import { type ConfigInput, loadConfig, startGateway } from "../src/index.ts";
import { defineCollection, text } from "../src/store/collection.ts";
import { createAll } from "../src/store/plan.ts";

const THINGS = defineCollection({ name: "things", fields: { id: text() }, key: ["id"] });
const PLANS = [createAll("things", [THINGS])];

function configOf(store: ConfigInput["store"]) {
  const loaded = loadConfig({
    overrides: { listen: { port: 0, host: "127.0.0.1" }, auth: { jwtSecret: SECRET }, store },
  });
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.problems));
  return loaded.config;
}

function folderOfTest() {
  const path = mkdtempSync(join(tmpdir(), "aldis-store-"));
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) };
}

async function missing(url: string): Promise<unknown> {
  const response = await fetch(`${url}/health/ready`);
  return ((await response.json()) as { waitsFor?: unknown }).waitsFor ?? [];
}

test("a gateway with records opens its store, and is ready then", async () => {
  using folder = folderOfTest();
  const path = join(folder.path, "a.db");
  const gateway = startGateway({ config: configOf({ url: `sqlite:${path}` }), plans: PLANS });
  try {
    expect(gateway.ready).toBe(false);
    expect(await missing(gateway.url)).toEqual(["store"]);
    await eventually("the gateway to be ready", () => gateway.ready);
    expect(await Bun.file(path).exists()).toBe(true);
  } finally {
    await gateway.close();
  }
  // Closed in order: the log is in the file.
  expect(await Bun.file(`${path}-wal`).exists()).toBe(false);
});

test("a store that cannot be used is told once, in words for the operator, and the gateway is never ready", async () => {
  using folder = folderOfTest();
  const found = Promise.withResolvers<Error>();
  const lines: string[] = [];
  const gateway = startGateway({
    config: configOf({ url: `sqlite:${folder.path}` }),
    plans: PLANS,
    write: (line) => lines.push(line),
    onUnfit: found.resolve,
  });
  try {
    expect((await found.promise).message).toContain(folder.path);
    expect(gateway.ready).toBe(false);
    expect(lines.filter((line) => line.includes("the store cannot be used"))).toHaveLength(1);
  } finally {
    await gateway.close();
  }
});

test("a gateway without records, or without a store, needs none", async () => {
  for (const options of [{}, { plans: PLANS }]) {
    const gateway = startGateway({ config: configOf({ url: "none" }), ...options });
    expect(gateway.ready).toBe(true);
    await gateway.close();
  }
});
