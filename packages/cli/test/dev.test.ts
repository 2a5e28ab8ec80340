import { expect, test } from "bun:test";
import { RawClient } from "@aldis/testkit";
import { createBanner } from "./support/banner.ts";
import { runCli, startCli, startShell } from "./support/run-cli.ts";

async function startDev(env: Record<string, string> = {}, args: string[] = []) {
  const dev = startCli(["dev", "--port", "0", ...args], env);
  const [, url = ""] = await dev.until(/Open\s+(http:\/\/localhost:\d+)[\s\S]*Ctrl-C stops it/);
  return Object.assign(dev, { url, port: Number(new URL(url).port) });
}

/** The lines of the banner that are commands. */
function commandsOf(banner: string) {
  const lines = banner.split("\n");
  const subscribe = lines.find((line) => line.includes(" aldis subscribe ")) ?? "";
  const publish = lines.find((line) => line.startsWith("curl ")) ?? "";
  return { subscribe, publish };
}

test("the two commands of the banner work as they are printed", async () => {
  await using dev = await startDev();
  const { subscribe, publish } = commandsOf(dev.stdout());
  await using subscriber = startShell(subscribe);
  await subscriber.until(/chat:lobby: subscribed/);
  await using publisher = startShell(publish);
  expect(await publisher.exited).toBe(0);
  expect(JSON.parse(publisher.stdout())).toMatchObject({ offset: 1 });
  const [line] = await subscriber.until(/^\{.*\}$/m);
  expect(JSON.parse(line)).toMatchObject({
    channel: "chat:lobby",
    offset: 1,
    event: "say",
    data: { text: "Hello from my backend" },
  });
});

test("the commands of the banner need no address on the usual port", async () => {
  const { subscribe, publish } = commandsOf(createBanner("http://localhost:8965"));
  expect(subscribe).not.toContain("--url");
  expect(publish).toContain("curl http://localhost:8965/api/publish ");
});

test("secrets of the environment are used, and not printed", async () => {
  const env = {
    ALDIS_JWT_SECRET: "a secret of the environment",
    ALDIS_API_KEY: "a-key-of-the-environment",
  };
  await using dev = await startDev(env);
  expect(dev.stdout()).not.toContain(env.ALDIS_JWT_SECRET);
  expect(dev.stdout()).not.toContain(env.ALDIS_API_KEY);
  expect(dev.stdout()).toContain("signed with your ALDIS_JWT_SECRET");
  await using publisher = startShell(commandsOf(dev.stdout()).publish, env);
  expect(await publisher.exited).toBe(0);
  expect(JSON.parse(publisher.stdout())).toMatchObject({ offset: 1 });
  const { stdout } = await runCli(["token", "--user", "ann"], env);
  const client = await RawClient.connect(`ws://127.0.0.1:${dev.port}/ws?token=${stdout.trim()}`);
  await client.close();
});

test("every start has a secret and a key of its own", async () => {
  await using first = await startDev();
  await using second = await startDev();
  expect(commandsOf(first.stdout()).publish).not.toBe(commandsOf(second.stdout()).publish);
});

test.each(["0.0.0.0", "::", "192.168.1.5"])("[P7] dev refuses --host %s", async (host) => {
  const refused = await runCli(["dev", "--port", "0", "--host", host]);
  expect(refused.code).toBe(78);
  expect(refused.stderr).toContain("this machine alone");
  expect(refused.stderr).toContain("aldis start");
});

test("[P7] dev refuses another host from the environment, too", async () => {
  const refused = await runCli(["dev", "--port", "0"], { ALDIS_HOST: "0.0.0.0" });
  expect(refused.code).toBe(78);
  expect(refused.stderr).toContain("0.0.0.0");
});

test("a taken port is told in one line", async () => {
  await using dev = await startDev();
  const refused = await runCli(["dev"], { ALDIS_PORT: String(dev.port) });
  expect(refused.code).toBe(1);
  expect(refused.stderr.trim().split("\n")).toHaveLength(1);
  expect(refused.stderr).toContain(`port ${dev.port} is taken`);
  expect(refused.stderr).toContain("--port");
});

test("pages of the dev server get a token that connects", async () => {
  await using dev = await startDev();
  const response = await fetch(`${dev.url}/dev/token?user=Ann`, {
    headers: { origin: dev.url, "sec-fetch-site": "same-origin" },
  });
  expect(response.headers.get("cache-control")).toBe("no-store");
  const { token, user } = (await response.json()) as { token: string; user: string };
  expect(user).toBe("Ann");
  const client = await RawClient.connect(`ws://127.0.0.1:${dev.port}/ws?token=${token}`);
  expect(client.welcome.user).toEqual({ id: "Ann", name: "Ann" });
  await client.close();
});

test.each([
  [{ host: "evil.example" }, "DNS rebinding"],
  [{ host: "localhost.evil.example" }, "a host that only looks local"],
  [{ host: "127.0.0.1.evil.example" }, "a host that only looks local"],
  [{ origin: "https://evil.example" }, "a foreign page"],
  [{ origin: "null" }, "a sandboxed frame"],
  [{ origin: "http://localhost:1" }, "another server on this machine"],
  [{ "sec-fetch-site": "cross-site" }, "a script tag of a foreign page"],
  [{ "sec-fetch-site": "same-site" }, "another port of this machine"],
])("the token route refuses %j (%s)", async (headers) => {
  await using dev = await startDev();
  const response = await fetch(`${dev.url}/dev/token?user=ann`, { headers });
  expect(response.status).toBe(403);
  expect(await response.text()).not.toContain("eyJ");
  expect(response.headers.get("access-control-allow-origin")).toBeNull();
});

test.each(["", "anon:x", "a".repeat(65), "a\nb", "a\u2028b"])(
  "the token route refuses the name %j",
  async (name) => {
    await using dev = await startDev();
    const response = await fetch(`${dev.url}/dev/token?user=${encodeURIComponent(name)}`);
    expect(response.status).toBe(400);
  },
);

test("a foreign page cannot connect, not even with a token", async () => {
  await using dev = await startDev();
  const response = await fetch(`http://127.0.0.1:${dev.port}/ws`, {
    headers: {
      host: "evil.example",
      origin: "http://evil.example",
      connection: "upgrade",
      upgrade: "websocket",
      "sec-websocket-version": "13",
      "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==",
    },
  });
  expect(response.status).toBe(403);
});

test("production has neither the page nor the token route", async () => {
  await using gateway = startCli(["start", "--port", "0", "--host", "127.0.0.1"], {
    ALDIS_JWT_SECRET: "a secret that only this test knows",
  });
  const [, url] = await gateway.until(/"url":"(http[^"]+)"/);
  expect((await fetch(`${url}/`)).status).toBe(404);
  expect((await fetch(`${url}/dev/token?user=ann`)).status).toBe(404);
});

test("the page is served under a strict policy", async () => {
  await using dev = await startDev();
  for (const [path, type] of [
    ["/", "text/html"],
    ["/demo.js", "text/javascript"],
    ["/demo.css", "text/css"],
    ["/demo.svg", "image/svg+xml"],
  ]) {
    const response = await fetch(`${dev.url}${path}`);
    expect(response.status).toBe(200);
    expect(response.headers.get("content-type")).toBe(`${type}; charset=utf-8`);
    const policy = response.headers.get("content-security-policy") ?? "";
    expect(policy).toContain("default-src 'none'; script-src 'self'");
    expect(policy).not.toContain("unsafe");
    expect(await response.text()).not.toMatch(/https?:\/\/(?!localhost|www\.w3\.org\/2000\/svg)/);
  }
  expect((await fetch(`${dev.url}/`, { method: "POST" })).status).toBe(405);
});

test("Ctrl-C ends it with 0", async () => {
  await using dev = await startDev();
  dev.kill("SIGINT");
  expect(await dev.exited).toBe(0);
});
