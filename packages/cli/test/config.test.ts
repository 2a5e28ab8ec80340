import { expect, test } from "bun:test";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { TEST_KEYS } from "./support/production.ts";
import { runCli } from "./support/run-cli.ts";

async function withFile(text: string, run: (path: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "aldis-cli-"));
  try {
    const path = join(folder, "aldis.yaml");
    await Bun.write(path, text);
    await run(path);
  } finally {
    await rm(folder, { recursive: true });
  }
}

const FILE = `listen: { port: 9000, tls: { certFile: /no/cert.pem, keyFile: /no/key.pem } }\n`;

test("config check is 0 when `start` would start", async () => {
  const checked = await runCli(["config", "check"], TEST_KEYS);
  expect([checked.code, checked.stdout]).toEqual([0, "the configuration is in order\n"]);
});

test("config check is 78 with everything that `start` would refuse, files and authentication too", async () => {
  await withFile(`${FILE}heartbeat: { pingIntervall: 1 }\n`, async (path) => {
    const first = await runCli(["config", "check", "--config", path], { ALDIS_REDIS_URL: "x" });
    expect(first.code).toBe(78);
    expect(first.stderr).toContain("did you mean `pingIntervalMs`?");
    expect(first.stderr).toContain("is no Redis URL");
    expect(first.stderr).toContain("nothing can verify a token");
  });
  await withFile(FILE, async (path) => {
    for (const command of [["config", "check"], ["start"]]) {
      const refused = await runCli([...command, "--config", path], TEST_KEYS);
      expect(refused.code).toBe(78);
      expect(refused.stderr).toContain("listen.tls.certFile  /no/cert.pem is not there");
      expect(refused.stderr).toContain("listen.tls.keyFile   /no/key.pem is not there");
    }
  });
});

test("[P7] config show tells what is in force and why, and no secret", async () => {
  await withFile("outbox: { maxBytes: 2000000 }\n", async (path) => {
    const env = { ...TEST_KEYS, ALDIS_LOG_LEVEL: "warn", ALDIS_CONFIG: path };
    const { code, stdout } = await runCli(["config", "show"], env);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^outbox\.maxBytes +2000000 {2}\(file\)$/m);
    expect(stdout).toMatch(/^log\.level +"warn" {2}\(ALDIS_LOG_LEVEL\)$/m);
    expect(stdout).toMatch(/^listen\.port +8965 {2}\(default\)$/m);
    expect(stdout).toMatch(/^auth\.jwtSecret +\[redacted\] {2}\(ALDIS_JWT_SECRET\)$/m);
    for (const secret of Object.values(TEST_KEYS)) expect(stdout).not.toContain(secret);
    const changed = await runCli(["config", "show", "--changed"], env);
    expect(changed.stdout.trim().split("\n").length).toBeLessThan(10);
    expect(changed.stdout).not.toContain("(default)");
  });
});
