import { expect, test } from "bun:test";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startTestGateway } from "@aldis/testkit";
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
}, 30_000);
