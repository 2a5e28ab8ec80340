/** A gateway that starts while its store is away: what users see until it has read once who wants what. */
import { Database } from "bun:sqlite";
import { expect, test } from "bun:test";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { eventually, startTestGateway } from "@aldis/testkit";

test("P5: [WH21] [BC8] faults 10: it starts while its store is away: who comes has a welcome, and is told to try again; it heals without a restart", async () => {
  const folder = await mkdtemp(join(tmpdir(), "aldis-starting-"));
  const path = join(folder, "records.db");
  const locked = new Database(path, { create: true });
  try {
    locked.run("PRAGMA journal_mode = WAL");
    locked.run("BEGIN IMMEDIATE");
    const store = { url: `sqlite:${path}`, timeoutMs: 500 };
    await using node = await startTestGateway({ config: { store }, awaits: "nothing" });
    const ready = await fetch(`${node.url}/health/ready`);
    expect([ready.status, await ready.json()]).toMatchObject([503, { status: "not ready" }]);

    const ann = await node.connect();
    const again = { code: "unavailable", retryAfterMs: expect.any(Number) };
    expect(await ann.ask("subscribe", { channel: "chat:a" })).toMatchObject({ data: again });
    const said = { channel: "chat:a", data: "hello", idempotencyKey: "one" };
    expect(await ann.ask("publish", said)).toMatchObject({ data: again });
    const posted = await node.call("POST", "/api/publish", said);
    expect([posted.status, posted.body]).toMatchObject([503, { error: again }]);

    locked.run("ROLLBACK");
    await eventually("it to be ready", async () => (await fetch(`${node.url}/health/ready`)).ok);
    await ann.must("subscribe", { channel: "chat:a" });
    await ann.must("publish", said);
    await ann.close();
  } finally {
    locked.close();
    await rm(folder, { recursive: true, force: true });
  }
});
