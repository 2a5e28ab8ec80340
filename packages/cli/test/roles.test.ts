import { expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { TEST_KEYS } from "./support/production.ts";
import { runCli, startCli } from "./support/run-cli.ts";

const LISTENING = /"url":"(http:[^"]+)"[^\n]*is listening/;

/** A folder for a store that processes share. */
function sharedStore(): Disposable & { readonly url: string } {
  const folder = mkdtempSync(join(tmpdir(), "aldis-roles-"));
  return {
    url: `sqlite:${join(folder, "aldis.db")}`,
    [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }),
  };
}

test("a worker serves health and metrics alone, needs no authentication, and says what it is", async () => {
  using store = sharedStore();
  await using worker = startCli(["worker", "--port", "0", "--queues", "push,history"], {
    ALDIS_STORE_URL: store.url,
    ALDIS_METRICS_PUBLIC: "true",
  });
  const [, url] = await worker.until(LISTENING);
  expect(worker.stdout()).toContain('"queues":"push,history"');
  // There is no key for Web Push, so nobody asks for any.
  await worker.until(/"queue":"push","msg":"no feature that is on here uses this queue[^"]*"/);
  expect(worker.stdout()).not.toContain('"queue":"history"');
  expect((await fetch(`${url}/health/live`)).status).toBe(200);
  expect(await (await fetch(`${url}/metrics`)).text()).toContain("aldis_jobs_done_total");
  for (const path of ["/ws", "/api/publish", "/api/cluster/nodes", "/docs"]) {
    const answer = await fetch(`${url}${path}`, { method: "POST" });
    expect([path, answer.status]).toEqual([path, 503]);
    expect(await answer.text()).toContain("this is a worker");
  }
  expect((await fetch(`${url}/nothing`)).status).toBe(404);
  worker.kill("SIGTERM");
  expect(await worker.exited).toBe(0);
});

test("[P7] a worker that has nothing in common with gateways is refused, and told why", async () => {
  for (const [url, why] of [
    ["none", "one store"],
    ["sqlite:aldis.db", "absolute path"],
  ] as const) {
    const refused = await runCli(["worker", "--port", "0"], { ALDIS_STORE_URL: url });
    expect(refused.code).toBe(78);
    expect(refused.stderr).toContain("store.url");
    expect(refused.stderr).toContain(why);
  }
  const unknown = await runCli(["worker", "--queues", "webhooks,nothing"]);
  expect(unknown.code).toBe(2);
  expect(unknown.stderr).toContain("webhooks,push,history");
});

test("a gateway works no queue; it needs authentication, as start does", async () => {
  using store = sharedStore();
  const refused = await runCli(["gateway", "--port", "0"]);
  expect(refused.code).toBe(78);
  await using gateway = startCli(["gateway", "--port", "0"], {
    ...TEST_KEYS,
    ALDIS_STORE_URL: store.url,
  });
  const [, url] = await gateway.until(LISTENING);
  expect(gateway.stdout()).toContain('"queues":""');
  expect((await fetch(`${url}/health/live`)).status).toBe(200);
  gateway.kill("SIGTERM");
  expect(await gateway.exited).toBe(0);
});
