/** What happens to real clients of a real process that is asked to stop. */
import { expect, test } from "bun:test";
import { createClient } from "@aldis/client";
import { eventually, RawClient } from "@aldis/testkit";
import { mintToken } from "../src/mint.ts";
import { startProduction, TEST_KEYS } from "./support/production.ts";

const RAW = 450;
const SDK = 50;
const WINDOW_MS = 2_000;
const channel = "chat:lobby";

function tokenOf(user: string): Promise<string> {
  const signing = { secret: TEST_KEYS.ALDIS_JWT_SECRET, issuer: undefined, audience: undefined };
  return mintToken(signing, { user, capabilities: { "*": ["*"] }, expiresInSeconds: 3_600 });
}

test("faults 2: [DR2] [DR3] SIGTERM with 500 clients: replies come, moments are spread, all are back at the next process", async () => {
  const env = {
    ...TEST_KEYS,
    ALDIS_DRAIN_WINDOW_MS: String(WINDOW_MS),
    ALDIS_LIMITS_CONNECTION_ATTEMPTS_PER_MINUTE: "0",
  };
  await using first = await startProduction(env);
  const port = new URL(first.url).port;
  const raw = await Promise.all(
    Array.from({ length: RAW }, async (_, i) =>
      RawClient.connect(`${first.wsUrl}?token=${await tokenOf(`raw-${i}`)}`),
    ),
  );
  const sdk = await Promise.all(
    Array.from({ length: SDK }, async (_, i) => {
      const client = createClient({
        url: first.wsUrl,
        token: await tokenOf(`sdk-${i}`),
        backoff: { minMs: 20, maxMs: 500 },
      });
      client.connect();
      return client;
    }),
  );
  const isConnected = (client: (typeof sdk)[number]) => client.state.name === "connected";
  await eventually("the SDK is connected", () => sdk.every(isConnected));

  // Commands that are on their way when the signal comes.
  const asked = raw.map((client, n) => client.ask("publish", { channel: `a:${n}`, data: n }));
  first.kill("SIGTERM");
  for (const { data } of await Promise.all(asked)) expect(data).toMatchObject({ offset: 1 });

  // And while it drains: until its moment a client is served as ever.
  const told = await Promise.all(
    raw.map(async (client) => {
      const { data } = await client.next("reconnect");
      const reply = await client.ask("publish", { channel, data: "still here" });
      expect(reply.data.offset).toBeGreaterThan(0);
      return data.afterMs as number;
    }),
  );
  // All lie in the first half of this short window, a quarter of them in each quarter of that.
  const quarters = [0, 0, 0, 0];
  for (const afterMs of told) {
    const quarter = Math.min(3, Math.floor((afterMs / (WINDOW_MS / 2)) * 4));
    quarters[quarter] = (quarters[quarter] ?? 0) + 1;
  }
  for (const count of quarters) expect(count / RAW).toBeWithin(0.15, 0.35);
  const codes = await Promise.all(raw.map(async ({ closed }) => (await closed).code));
  expect(new Set(codes)).toEqual(new Set([4012]));
  expect(await first.exited).toBe(0);

  // Meanwhile the SDK was refused, and has kept trying.
  await using _second = await startProduction(env, ["--port", port]);
  await eventually("the SDK is back", () => sdk.every(isConnected));
  for (const client of sdk) {
    expect(await client.publish(channel, 1)).toMatchObject({ epoch: expect.any(String) });
    client.close();
  }
}, 60_000);

test("faults 2: a second signal does not wait for the window", async () => {
  await using gateway = await startProduction({ ...TEST_KEYS, ALDIS_DRAIN_WINDOW_MS: "3600000" });
  const client = await RawClient.connect(`${gateway.wsUrl}?token=${await tokenOf("ann")}`);
  gateway.kill("SIGTERM");
  await client.next("reconnect");
  await gateway.insist("SIGTERM");
  expect(await gateway.exited).toBe(143);
});

test("faults 2: signals that come together are one: Ctrl-C reaches a process and its wrappers alike", async () => {
  await using gateway = await startProduction({ ...TEST_KEYS, ALDIS_DRAIN_WINDOW_MS: "100" });
  const client = await RawClient.connect(`${gateway.wsUrl}?token=${await tokenOf("ann")}`);
  gateway.kill("SIGINT");
  gateway.kill("SIGTERM");
  await client.next("reconnect");
  expect((await client.closed).code).toBe(4012);
  expect(await gateway.exited).toBe(0);
});

test("without clients it ends at once, whatever the window", async () => {
  await using gateway = await startProduction({ ...TEST_KEYS, ALDIS_DRAIN_WINDOW_MS: "3600000" });
  gateway.kill("SIGTERM");
  expect(await gateway.exited).toBe(0);
});
