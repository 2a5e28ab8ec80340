import { expect, test } from "bun:test";
import { eventually, startTestGateway } from "@aldis/testkit";
import { runCli } from "./support/run-cli.ts";

test("nodes lists them with their load, and wants the scope `cluster`", async () => {
  const key = "a-key-of-a-tenant-0123456789";
  const keys = [{ key, tenant: "acme" }];
  await using gateway = await startTestGateway({ config: { cluster: { node: "one" } } });
  await gateway.connect();
  const args = ["nodes", "--url", gateway.url];
  const listed = await runCli([...args, "--key", gateway.apiKey]);
  expect([listed.code, listed.stderr]).toEqual([0, ""]);
  expect(listed.stdout).toMatch(
    /^NODE +ROLE +STATE +CONNECTIONS .*\none-\S+ \* +all +serving +1 +50000 +500 /,
  );
  const json = await runCli([...args, "--json"], { ALDIS_API_KEY: gateway.apiKey });
  expect(JSON.parse(json.stdout)).toMatchObject([{ name: "one", connections: 1, draining: false }]);
  await using other = await startTestGateway({ config: { api: { keys } } });
  const refused = await runCli(["nodes", "--url", other.url, "--key", key]);
  expect([refused.code, refused.stdout]).toEqual([1, ""]);
  expect(refused.stderr).toContain("forbidden");
});

test("drain tells why it is refused, and never its key", async () => {
  await using gateway = await startTestGateway({ config: { cluster: { node: "one" } } });
  const env = { ALDIS_API_KEY: gateway.apiKey, ALDIS_URL: gateway.url };
  const alone = await runCli(["drain", "one"], env);
  expect([alone.code, alone.stdout]).toEqual([1, ""]);
  expect(alone.stderr).toContain("no other node");
  const nobody = await runCli(["drain", "no/such node", "--wait"], env);
  expect(nobody.code).toBe(1);
  expect(nobody.stderr).toContain("no such node");
  expect(alone.stderr + nobody.stderr).not.toContain(gateway.apiKey);
  const undone = await runCli(["drain", "one", "--undo"], env);
  expect(undone.code).toBe(0);
  expect(JSON.parse(undone.stdout)).toMatchObject({ connections: 0 });
  expect((await runCli(["drain"], env)).code).toBe(2);
  await eventually("it to be ready", () => gateway.gateway.ready);
});
