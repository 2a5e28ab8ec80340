import { expect, test } from "bun:test";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { RawClient } from "@aldis/testkit";
import { startProduction, TEST_KEYS } from "./support/production.ts";
import { runCli, startScript } from "./support/run-cli.ts";

const AUTHENTICATED = TEST_KEYS;
const { ALDIS_JWT_SECRET: SECRET, ALDIS_API_KEY: KEY } = TEST_KEYS;

async function mint(...args: string[]): Promise<string> {
  const minted = await runCli(["token", "--user", "ann", ...args], AUTHENTICATED);
  expect(minted.code).toBe(0);
  expect(minted.stdout).toMatch(/^[\w-]+\.[\w-]+\.[\w-]+\n$/);
  return minted.stdout.trim();
}

test("[P7] start refuses to run when nothing can verify a token", async () => {
  const refused = await runCli(["start", "--port", "0"]);
  expect(refused.code).toBe(78);
  expect(refused.stdout).toBe("");
  expect(refused.stderr).toContain("auth");
  expect(refused.stderr).toContain("ALDIS_JWT_SECRET");
});

test("start tells every problem of the configuration at once, missing authentication among them", async () => {
  const refused = await runCli(["start"], {
    ALDIS_HEARTBEAT_PING_INTERVAL_MS: "soon",
    ALDIS_LISTEN_FRAME_MAX_BYTES: "-1",
    ALDIS_NO_SUCH_SETTING: "1",
  });
  expect(refused.code).toBe(78);
  expect(refused.stderr).toContain("4 problems");
  for (const path of [
    "heartbeat.pingIntervalMs",
    "listen.frameMaxBytes",
    "ALDIS_NO_SUCH_SETTING",
    "auth ",
  ]) {
    expect(refused.stderr).toContain(`\n  ${path}`);
  }
});

test("start never shows a secret that it refuses", async () => {
  const refused = await runCli(["start"], { ALDIS_JWT_SECRET: "tooshort", ALDIS_API_KEY: "short" });
  expect(refused.code).toBe(78);
  expect(refused.stderr).toContain("auth.jwtSecret");
  expect(refused.stderr).toContain("api.keys.0.key");
  expect(refused.stderr).not.toContain("tooshort");
});

test("start works with a secret and a key alone: token, connect, subscribe, publish", async () => {
  await using gateway = await startProduction(AUTHENTICATED);
  const token = await mint("--name", "Ann A.", "--capability", "chat:*=subscribe");
  const client = await RawClient.connect(`${gateway.wsUrl}?token=${token}`);
  expect(client.welcome.user).toEqual({ id: "ann", name: "Ann A." });
  await client.must("subscribe", { channel: "chat:lobby" });
  expect((await client.ask("subscribe", { channel: "other" })).data.code).toBe("forbidden");

  const args = ["publish", "chat:lobby", '{"text":"hello"}', "--event", "say"];
  const published = await runCli(args, { ALDIS_API_KEY: KEY, ALDIS_URL: gateway.url });
  expect(published.code).toBe(0);
  expect(JSON.parse(published.stdout)).toMatchObject({ offset: 1 });
  const { data } = await client.next("message");
  expect(data).toMatchObject({ channel: "chat:lobby", event: "say", data: { text: "hello" } });
  await client.close();
});

test("start logs one JSON object a line to stdout, and nothing secret", async () => {
  await using gateway = await startProduction(AUTHENTICATED);
  gateway.kill("SIGTERM");
  await gateway.exited;
  const lines = gateway.stdout().trim().split("\n");
  expect(lines.map((line) => typeof JSON.parse(line).msg)).toEqual(lines.map(() => "string"));
  expect(gateway.stdout()).not.toContain(SECRET);
  expect(gateway.stdout()).not.toContain(KEY);
});

test.each(["SIGTERM", "SIGINT"] as const)(
  "[CL1] %s closes with 4012 at the clients and ends with 0",
  async (signal) => {
    await using gateway = await startProduction({
      ...AUTHENTICATED,
      ALDIS_DRAIN_WINDOW_MS: "100",
    });
    const client = await RawClient.connect(`${gateway.wsUrl}?token=${await mint()}`);
    gateway.kill(signal);
    await client.next("reconnect");
    expect((await client.closed).code).toBe(4012);
    expect(await gateway.exited).toBe(0);
  },
);

test.each([
  ["SIGTERM", 143],
  ["SIGINT", 130],
] as const)("a second %s ends a gateway at once that does not close", async (signal, code) => {
  const script = fileURLToPath(new URL("./support/stubborn.ts", import.meta.url));
  await using gateway = startScript(script);
  await gateway.until(/running/);
  gateway.kill(signal);
  await gateway.until(/stopping/);
  await gateway.insist(signal);
  expect(await gateway.exited).toBe(code);
});

const FILES = {
  "aldis.json": `{"listen": {"frameMaxBytes": 4242}}`,
  "aldis.jsonc": `{\n  // how much at once\n  "listen": {"frameMaxBytes": 4242,},\n}`,
  "aldis.yaml": `listen:\n  frameMaxBytes: 4242\n`,
  "aldis.toml": `[listen]\nframeMaxBytes = 4242\n`,
};

test.each(Object.entries(FILES))("start reads %s", async (name, text) => {
  await using folder = await tempFolder();
  const path = join(folder.path, name);
  await Bun.write(path, text);
  await using gateway = await startProduction({ ...AUTHENTICATED, ALDIS_CONFIG: path });
  const client = await RawClient.connect(`${gateway.wsUrl}?token=${await mint()}`);
  expect(client.welcome.frameMaxBytes).toBe(4242);
  await client.close();
});

test("the environment goes before the file, and --config before ALDIS_CONFIG", async () => {
  await using folder = await tempFolder();
  const path = join(folder.path, "aldis.yml");
  await Bun.write(path, "listen: { frameMaxBytes: 1111 }\nheartbeat: { pingIntervalMs: 2222 }\n");
  const env = {
    ...AUTHENTICATED,
    ALDIS_CONFIG: "/not/there.json",
    ALDIS_LISTEN_FRAME_MAX_BYTES: "3333",
  };
  await using gateway = await startProduction(env, ["--config", path]);
  const client = await RawClient.connect(`${gateway.wsUrl}?token=${await mint()}`);
  expect(client.welcome).toMatchObject({ frameMaxBytes: 3333, pingIntervalMs: 2222 });
  await client.close();
});

test.each([
  ["aldis.ini", "", "must end in one of"],
  ["aldis.json", "{", "JSON Parse error"],
  ["aldis.yaml", "- 1\n- 2\n", "must hold an object"],
])("a config file that cannot be used is named: %s with %j", async (name, text, said) => {
  await using folder = await tempFolder();
  const path = join(folder.path, name);
  await Bun.write(path, text);
  const refused = await runCli(["start", "--config", path], AUTHENTICATED);
  expect(refused.code).toBe(78);
  expect(refused.stderr).toContain(path);
  expect(refused.stderr).toContain(said);
});

test("a config file that is not there is named", async () => {
  const refused = await runCli(["start"], { ...AUTHENTICATED, ALDIS_CONFIG: "/not/there.json" });
  expect(refused.code).toBe(78);
  expect(refused.stderr).toContain("/not/there.json: is not there");
});

test("[P5] a store that cannot be used ends start and dev, with one line for the operator", async () => {
  await using folder = await tempFolder();
  const env = { ...AUTHENTICATED, ALDIS_STORE_URL: `sqlite:${folder.path}/missing/a.db` };
  for (const command of ["start", "dev"]) {
    const refused = await runCli([command, "--port", "0", "--host", "127.0.0.1"], env);
    expect(refused.code).toBe(78);
    const [told, ...others] = refused.stderr
      .split("\n")
      .filter((line) => line.includes("store.url"));
    expect(told).toContain(`${folder.path}/missing/a.db: unable to open database file`);
    expect(others).toEqual([]);
  }
});

test("start keeps records in the file that ALDIS_STORE_URL names, and leaves it whole when it stops", async () => {
  await using folder = await tempFolder();
  const path = join(folder.path, "kept.db");
  const env = { ALDIS_STORE_URL: `sqlite:${path}`, ALDIS_DRAIN_WINDOW_MS: "0" };
  await using gateway = await startProduction({ ...AUTHENTICATED, ...env });
  await gateway.until(/the store is open/);
  gateway.kill("SIGTERM");
  expect(await gateway.exited).toBe(0);
  expect(await Bun.file(path).exists()).toBe(true);
  expect(await Bun.file(`${path}-wal`).exists()).toBe(false);
});

async function tempFolder(): Promise<AsyncDisposable & { readonly path: string }> {
  const path = await mkdtemp(join(tmpdir(), "aldis-cli-"));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true }) };
}
