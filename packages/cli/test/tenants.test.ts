import { expect, test } from "bun:test";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { eventually, startTestGateway } from "@aldis/testkit";
import { runCli } from "./support/run-cli.ts";

const KEY = "an-admin-key-of-these-tests-0123";

test("tenants and keys are created, listed, suspended and revoked from the command line", async () => {
  const folder = await mkdtemp(join(tmpdir(), "aldis-cli-"));
  {
    const store = { url: `sqlite:${join(folder, "aldis.db")}` };
    await using gateway = await startTestGateway({ config: { store, api: { adminKeys: [KEY] } } });
    const env = { ALDIS_ADMIN_KEY: KEY, ALDIS_URL: gateway.url };
    const cli = async (...args: string[]) => {
      const { code, stdout, stderr } = await runCli(args, env);
      expect([args, code, stderr]).toEqual([args, 0, ""]);
      return stdout;
    };
    expect(JSON.parse(await cli("tenants", "create", "acme", "--name", "Acme"))).toMatchObject({
      ...{ id: "acme", status: "active" },
    });
    const made = JSON.parse(
      await cli("keys", "create", "-t", "acme", "--scopes", "publish, read", "--days", "30"),
    );
    expect(made).toMatchObject({ scopes: ["publish", "read"] });
    const listed = await cli("keys", "list", "-t", "acme");
    expect(listed).toContain(made.id);
    expect(listed).not.toContain(made.key);
    expect(await cli("tenants", "list")).toMatch(/^acme +active +Acme\ndefault +active \(conf/m);
    const other = JSON.parse(await cli("keys", "rotate", made.id, "-t", "acme", "--overlap", "5"));
    await cli("keys", "revoke", made.id, "-t", "acme");
    expect(other.id).not.toBe(made.id);
    await cli("tenants", "suspend", "acme");
    expect(await cli("tenants", "show", "acme")).toContain("suspended");
    await cli("tenants", "resume", "acme");
    await cli("tenants", "delete", "acme");
    const refused = await runCli(["tenants", "show", "../audit"], env);
    expect([refused.code, refused.stderr.includes("bad_request")]).toEqual([1, true]);
    expect((await runCli(["tenants", "list"], { ALDIS_URL: gateway.url })).code).toBe(2);
    expect((await runCli(["keys", "list"], env)).code).toBe(2);
  }
  await rm(folder, { recursive: true });
}, 60_000);

test("quotas are set and shown, and usage is shown, from the command line", async () => {
  const folder = await mkdtemp(join(tmpdir(), "aldis-cli-"));
  {
    const store = { url: `sqlite:${join(folder, "aldis.db")}` };
    const tenants = { usage: { writeMs: 100 } };
    await using gateway = await startTestGateway({
      config: { store, tenants, api: { adminKeys: [KEY] } },
    });
    const cli = (...args: string[]) =>
      runCli(args, { ALDIS_ADMIN_KEY: KEY, ALDIS_URL: gateway.url });
    const quotas = ["--quota", "connections=1000", "--quota", "channels=50"];
    const made = await cli("tenants", "create", "acme", ...quotas);
    expect(JSON.parse(made.stdout)).toMatchObject({ quotas: { connections: 1_000, channels: 50 } });
    const set = await cli("tenants", "quotas", "acme", "channels=none", "storeBytes=9000");
    expect(set.stdout).toMatch(/^connections +1000 +1000$/m);
    expect(set.stdout).toMatch(/^channels +none$/m);
    expect(set.stdout).toMatch(/^storeBytes +9000 +9000$/m);
    expect((await cli("tenants", "quotas", "acme")).stdout).toBe(set.stdout);
    const headers = { authorization: `Bearer ${KEY}`, "aldis-tenant": "acme" };
    const body = JSON.stringify({ channel: "news:a", data: 1 });
    const asAcme = { ...headers, "content-type": "application/json" };
    await gateway.http("/api/publish", { method: "POST", headers: asAcme, body });
    await eventually("it to be counted", async () => {
      const usage = await gateway.http("/api/usage", { headers });
      return usage.body.days.at(-1)?.messagesIn === 1;
    });
    const today = new Date().toISOString().slice(0, 10);
    const { stdout } = await cli("tenants", "usage", "acme");
    expect(stdout).toMatch(new RegExp(`^${today} +1 `, "m"));
    const audit = await cli("tenants", "audit", "acme", "--limit", "1");
    expect(audit.stdout).toMatch(/ acme +tenant\.changed +acme +api\.adminKeys\.0 .*storeBytes/);
    const wrong = await cli("tenants", "quotas", "acme", "channel=1");
    expect([wrong.code, wrong.stderr.includes("connections=1000")]).toEqual([2, true]);
    const missing = await cli("tenants", "quotas", "nobody", "channels=1");
    expect([missing.code, missing.stderr.includes("not_found")]).toEqual([1, true]);
  }
  await rm(folder, { recursive: true });
}, 60_000);
