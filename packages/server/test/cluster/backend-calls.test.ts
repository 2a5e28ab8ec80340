/** Backend calls over several nodes with one store (protocol.md, Backend calls). */
import { expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { eventually, startRedis } from "@aldis/testkit";
import { startBackend } from "../backend-calls/support.ts";
import { startNodes } from "./nodes.ts";

test("[BC7] what is set at one node holds at the others at once, and what is removed, too", async () => {
  await using redis = await startRedis();
  await using backend = startBackend(() => ({ allow: false, result: "mine" }), Date.now);
  const folder = mkdtempSync(join(tmpdir(), "aldis-backend-"));
  const config = {
    store: { url: `sqlite:${join(folder, "test.db")}` },
    outbound: { allowPrivate: ["127.0.0.1"] },
    // Not by reading again.
    backendCalls: { rereadMs: 600_000 },
  };
  await using nodes = await startNodes(redis.url, { count: 2, config });
  const ann = await nodes.at(1).connect({ sub: "ann", capabilities: { "*": ["subscribe"] } });
  expect((await ann.refused("rpc", { method: "m" })).code).toBe("not_found");
  await ann.must("subscribe", { channel: "orders:1" });
  const settings = { url: backend.url, subscribe: { namespaces: ["orders"] } };
  const { body } = await nodes.at(0).call("PUT", "/api/backend", settings);
  backend.secret = body.secret;
  await eventually("the other node to know", async () => {
    const frame = await ann.ask("rpc", { method: "m" });
    return frame.action === "rpc";
  });
  expect((await ann.refused("subscribe", { channel: "orders:2" })).code).toBe("forbidden");
  expect(backend.forged).toEqual([]);
  await nodes.at(1).call("DELETE", "/api/backend");
  const bob = await nodes.at(0).connect({ sub: "bob", capabilities: { "*": ["subscribe"] } });
  await eventually("the first node to know", async () => {
    const frame = await bob.ask("subscribe", { channel: "orders:2" });
    return frame.action === "subscribe";
  });
  rmSync(folder, { recursive: true, force: true });
});
