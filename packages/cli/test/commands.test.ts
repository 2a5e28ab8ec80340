import { expect, test } from "bun:test";
import { createECDH } from "node:crypto";
import { SCOPES } from "@aldis/server";
import { RawClient, startTcpProxy, startTestGateway } from "@aldis/testkit";
import { decodeJwt } from "jose";
import { runCli, startCli, startShell } from "./support/run-cli.ts";

const SECRET = "a secret that only this test knows";

test("token writes the token alone to stdout, with every claim asked for", async () => {
  const minted = await runCli(
    [
      "token",
      ...["--user", "ann", "--tenant", "acme", "--name", "Ann", "--email", "ann@acme.test"],
      ...["--expires", "15m", "--capability", "chat:*=subscribe,publish"],
      ...["--capability", "a=b:c=history", "--capability", "chat:*=presence"],
    ],
    {
      ALDIS_JWT_SECRET: SECRET,
      ALDIS_AUTH_ISSUER: "https://issuer.test",
      ALDIS_AUTH_AUDIENCE: "one,two",
      // Problems elsewhere are not this command's.
      ALDIS_NO_SUCH_SETTING: "1",
    },
  );
  expect(minted.code).toBe(0);
  expect(minted.stderr).toBe("");
  const { iat = 0, exp, ...claims } = decodeJwt(minted.stdout.trim());
  expect(exp).toBe(iat + 900);
  expect(claims).toEqual({
    sub: "ann",
    tenant: "acme",
    name: "Ann",
    email: "ann@acme.test",
    iss: "https://issuer.test",
    aud: "one,two",
    capabilities: { "chat:*": ["subscribe", "publish", "presence"], "a=b:c": ["history"] },
  });
});

test("token asks for what it lacks", async () => {
  const noSecret = await runCli(["token", "--user", "ann"]);
  expect(noSecret.code).toBe(2);
  expect(noSecret.stderr).toContain("ALDIS_JWT_SECRET");
  const noUser = await runCli(["token"], { ALDIS_JWT_SECRET: SECRET });
  expect(noUser.code).toBe(2);
  expect(noUser.stderr).toContain("--user");
  for (const wrong of ["chat:*", "=publish", "chat:*=own"]) {
    const refused = await runCli(["token", "--user", "ann", "--capability", wrong]);
    expect(refused.code).toBe(2);
    expect(refused.stdout).toBe("");
  }
});

test("publish tells why it was refused, and never its key", async () => {
  await using gateway = await startTestGateway();
  const args = ["publish", "chat:lobby", "1", "--url", gateway.url];
  const refused = await runCli([...args, "--key", "not-the-key-of-anyone"]);
  expect(refused.code).toBe(1);
  expect(refused.stderr).toContain("unauthorized");
  expect(refused.stderr).not.toContain("not-the-key-of-anyone");
  const noKey = await runCli(args);
  expect(noKey.code).toBe(2);
  expect(noKey.stderr).toContain("ALDIS_API_KEY");
  const notJson = await runCli(["publish", "chat:lobby", "hello", "--url", gateway.url]);
  expect(notJson.code).toBe(2);
  expect(notJson.stderr).toContain(`'"hello"'`);
});

test("publish tells when nobody answers", async () => {
  await using proxy = startTcpProxy(1);
  proxy.accepting = false;
  const url = `http://127.0.0.1:${proxy.port}`;
  const failed = await runCli(["publish", "a", "1", "--url", url, "--key", "k"]);
  expect(failed.code).toBe(1);
  expect(failed.stderr).toContain(`cannot reach ${url}`);
});

test("[PB2] publish with an idempotency key counts once", async () => {
  await using gateway = await startTestGateway();
  const args = ["publish", "a", "1", "--url", gateway.url, "--idempotency-key", "same"];
  const env = { ALDIS_API_KEY: gateway.apiKey };
  const answers = [await runCli(args, env), await runCli(args, env)];
  expect(answers.map(({ stdout }) => JSON.parse(stdout).duplicate)).toEqual([undefined, true]);
});

test("subscribe begins with the latest and prints one line a message", async () => {
  await using gateway = await startTestGateway();
  for (const n of [1, 2, 3]) await gateway.publish("chat:lobby", n);
  const args = ["subscribe", "chat:lobby", "chat:other", "--last", "2", "--url", gateway.url];
  await using subscriber = startCli(args, { ALDIS_TOKEN: await gateway.token() });
  await subscriber.until(/chat:lobby: subscribed/);
  await subscriber.until(/chat:other: subscribed/);
  await gateway.publish("chat:other", { text: "\u009b31m \u202e" }, { event: "say" });
  await subscriber.until(/"chat:other"/);
  const lines = subscriber.stdout().trim().split("\n");
  expect(lines.map((line) => JSON.parse(line).data)).toEqual([2, 3, { text: "\u009b31m \u202e" }]);
  expect(lines[2]).toContain("\\u009b31m \\u202e");
  expect(lines[2]).not.toContain("\u009b");
  subscriber.kill("SIGINT");
  expect(await subscriber.exited).toBe(0);
});

test("[SU2] subscribe goes on after a break, with what it missed", async () => {
  await using gateway = await startTestGateway();
  await using proxy = startTcpProxy(gateway.gateway.port);
  const args = ["subscribe", "chat:lobby", "--url", `http://127.0.0.1:${proxy.port}`];
  await using subscriber = startCli(args, { ALDIS_TOKEN: await gateway.token() });
  await subscriber.until(/chat:lobby: subscribed/);
  await gateway.publish("chat:lobby", 1);
  await subscriber.until(/"data":1\}/);
  proxy.accepting = false;
  proxy.cut();
  await subscriber.until(/trying again in/);
  await gateway.publish("chat:lobby", 2);
  proxy.accepting = true;
  await subscriber.until(/"data":2\}/);
  await gateway.publish("chat:lobby", 3);
  await subscriber.until(/"data":3\}/);
  const lines = subscriber.stdout().trim().split("\n");
  expect(lines.map((line) => JSON.parse(line).data)).toEqual([1, 2, 3]);
});

test("subscribe survives a restart of the gateway, and says what may be missing", async () => {
  const env = { ALDIS_JWT_SECRET: SECRET, ALDIS_API_KEY: "an-api-key-of-this-test" };
  const first = startCli(["dev", "--port", "0"], env);
  const [, port = ""] = await first.until(/Open\s+http:\/\/localhost:(\d+)/);
  const url = `http://127.0.0.1:${port}`;
  const { stdout } = await runCli(["token", "--user", "ann", "--capability", "*=*"], env);
  await using subscriber = startCli(["subscribe", "a", "--url", url, "--token", stdout.trim()]);
  await subscriber.until(/a: subscribed/);
  await runCli(["publish", "a", "1", "--url", url], env);
  await subscriber.until(/"data":1\}/);
  first.kill("SIGTERM");
  expect(await first.exited).toBe(0);
  await using _second = startCli(["dev", "--port", port], env);
  await subscriber.until(/a: back, but messages may be missing/);
  await runCli(["publish", "a", "2", "--url", url], env);
  await subscriber.until(/"data":2\}/);
});

test("subscribe ends with 1 when it is not wanted", async () => {
  await using gateway = await startTestGateway();
  const args = ["subscribe", "secret:room", "--url", gateway.url];
  const badToken = await runCli([...args, "--token", "no.good.token"]);
  expect(badToken.code).toBe(1);
  expect(badToken.stderr).toContain("token");
  const token = await gateway.token({ capabilities: {} });
  const forbidden = await runCli([...args, "--token", token]);
  expect(forbidden.code).toBe(1);
  expect(forbidden.stderr).toContain("secret:room: ");
});

test("subscribe ends quietly when its reader has enough", async () => {
  await using gateway = await startTestGateway();
  await gateway.publish("a", 1);
  await gateway.publish("a", 2);
  const main = new URL("../src/main.ts", import.meta.url).pathname;
  const line = `"${process.execPath}" "${main}" subscribe a --last 2 --url ${gateway.url} | head -n 1`;
  await using shell = startShell(line, { ALDIS_TOKEN: await gateway.token() });
  await shell.until(/"data":1\}/);
  // It notices when it next has something to say.
  const client = await RawClient.connect(`${gateway.wsUrl}?token=${await gateway.token()}`);
  await client.must("publish", { channel: "a", data: 3 });
  expect(await shell.exited).toBe(0);
  expect(shell.stdout().trim().split("\n")).toHaveLength(1);
  await client.close();
});

test("help shows examples, and mistakes are answered with advice", async () => {
  const help = await runCli(["--help"]);
  expect(help.code).toBe(0);
  expect(help.stdout).toContain("Examples:");
  for (const command of ["dev", "start", "token", "publish", "subscribe", "version"]) {
    expect(help.stdout).toContain(`\n  ${command} `);
    const own = await runCli([command, "--help"]);
    expect(own.code).toBe(0);
    expect(own.stdout).toContain(`Usage: aldis ${command}`);
  }
  const unknown = await runCli(["subscrib"]);
  expect(unknown.code).toBe(2);
  expect(unknown.stderr).toContain("Did you mean subscribe?");
  const option = await runCli(["dev", "--prt", "1"]);
  expect(option.code).toBe(2);
  expect(option.stderr).toContain("Did you mean --port?");
  const port = await runCli(["dev", "--port", "70000"]);
  expect(port.code).toBe(2);
  expect(port.stderr).toContain("65535");
  const nothing = await runCli([]);
  expect(nothing.code).toBe(2);
  expect(nothing.stderr).toContain("Usage: aldis");
});

test("version tells both versions", async () => {
  const { stdout } = await runCli(["version"]);
  expect(stdout).toMatch(/^aldis \d+\.\d+\.\d+ \(bun \d+\.\d+\.\d+, \w+ \w+\)\n$/);
  expect((await runCli(["--version"])).stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
});

test("[HT6] key prints a key and the hash under which a gateway knows it", async () => {
  const [first, second] = [await runCli(["key"]), await runCli(["key"])];
  const [, key = "", hash = ""] =
    /^key: {2}(aldis_[\w-]{43})\nhash: (sha256:[0-9a-f]{64})\n$/.exec(first.stdout) ?? [];
  expect(key).not.toBe("");
  expect(second.stdout).not.toBe(first.stdout);
  await using gateway = await startTestGateway({ config: { api: { keys: [{ hash }] } } });
  const { status } = await gateway.call("POST", "/api/publish", { channel: "a", data: 1 }, key);
  expect(status).toBe(200);
});

test("[HT6] key tells all scopes that there are", async () => {
  const { stdout } = await runCli(["key", "--help"]);
  for (const scope of SCOPES) expect(stdout).toContain(scope);
});

test("[NT13] key vapid prints a pair of keys with which a gateway does Web Push", async () => {
  const { stdout } = await runCli(["key", "vapid"]);
  const [, publicKey = "", privateKey = ""] =
    /^publicKey: {2}([\w-]{87})\nprivateKey: ([\w-]{43})\n$/.exec(stdout) ?? [];
  const pair = createECDH("prime256v1");
  pair.setPrivateKey(Buffer.from(privateKey, "base64url"));
  expect(pair.getPublicKey("base64url")).toBe(publicKey);
});
