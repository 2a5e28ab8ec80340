import { describe, expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { API_KEY, accessTo, eventually, freePort, SECRET, startBystander } from "@aldis/testkit";
import { ROOT, startShell } from "./support/run-cli.ts";

const MAIN = `${process.execPath} ${ROOT}packages/cli/src/main.ts`;

/** The real command, its log going to where `into` says. */
async function startLoggingInto(into: string) {
  const port = await freePort();
  const running = startShell(`${MAIN} start --port ${port} --host 127.0.0.1 ${into}`, {
    ALDIS_JWT_SECRET: SECRET,
    ALDIS_API_KEY: API_KEY,
    ALDIS_LOG_LEVEL: "debug",
    ALDIS_LIMITS_CONNECTION_ATTEMPTS_PER_MINUTE: "0",
  });
  const gateway = accessTo(`http://127.0.0.1:${port}`);
  await eventually("it is ready", () =>
    fetch(`${gateway.url}/health/ready`).then(
      ({ ok }) => ok,
      () => false,
    ),
  );
  return { running, gateway, [Symbol.asyncDispose]: () => running[Symbol.asyncDispose]() };
}

const OUTPUTS: [string, string][] = [
  ["whose reader has gone (`| head -1`)", "| head -n 1"],
  ["whose reader never reads", "| sleep 300"],
  ["that is full (/dev/full)", "> /dev/full"],
  ["that is closed", ">&-"],
];

const CHATTY = `${ROOT}packages/cli/test/support/chatty.ts`;

describe.skipIf(!existsSync("/dev/full"))("faults 11: log output", () => {
  test.each(OUTPUTS)("%s: live traffic goes on", async (_, into) => {
    await using it = await startLoggingInto(into);
    const bystander = await startBystander(it.gateway);
    for (let n = 0; n < 100; n++) {
      const refused = new WebSocket(`${it.gateway.wsUrl}?token=a.b.${n}`);
      await new Promise((resolve) => refused.addEventListener("close", resolve));
    }
    const { answers } = bystander;
    await eventually("the bystander's answers", () => bystander.answers > answers + 10);
    expect(bystander.look().trouble).toBeUndefined();
    await it.gateway.publish("chat:lobby", "still there");
    await bystander.stop();
  });

  test.each(OUTPUTS)(
    "[P3] %s: two hundred megabytes cost no memory and block nothing",
    async (_, into) => {
      await using running = startShell(`${process.execPath} ${CHATTY} ${into}`);
      const [, rss] = await running.until(/rss (\d+)/);
      expect(Number(rss)).toBeLessThan(160 * 1024 * 1024);
    },
  );
});
