import { expect, test } from "bun:test";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { RawClient } from "@aldis/testkit";
import { startCli } from "./support/run-cli.ts";

test("dev takes over what changes in its config file, on the same port; a wrong change leaves the old in force", async () => {
  const folder = await mkdtemp(join(tmpdir(), "aldis-dev-"));
  try {
    const path = join(folder, "aldis.yaml");
    await Bun.write(path, "listen: { frameMaxBytes: 1111 }\n");
    await using dev = startCli(["dev", "--port", "0", "--config", path]);
    const [, url = "", token = ""] = await dev.until(
      /Open\s+(http:\/\/localhost:\d+)[\s\S]*--token (\S+)[\s\S]*Ctrl-C stops it/,
    );
    const wsUrl = `${url.replace("http", "ws").replace("localhost", "127.0.0.1")}/ws?token=${token}`;
    const first = await RawClient.connect(wsUrl);
    expect(first.welcome.frameMaxBytes).toBe(1111);

    await Bun.write(path, "listen: { frameMaxBytes: 2222 }\n");
    expect((await first.closed).code).toBe(4012);
    await dev.until(/started anew/);
    // The token of the banner holds on: the secret of the run is the same.
    const second = await RawClient.connect(wsUrl);
    expect(second.welcome.frameMaxBytes).toBe(2222);

    await Bun.write(path, "listen: { frameMaxBites: 3333, port: x }\n");
    await dev.until(/the change is not taken over[\s\S]*did you mean `frameMaxBytes`/);
    await second.settle();

    await Bun.write(path, "listen: { frameMaxBytes: 4444 }\n");
    expect((await second.closed).code).toBe(4012);
    await dev.until(/started anew[\s\S]*started anew/);
    const third = await RawClient.connect(wsUrl);
    expect(third.welcome.frameMaxBytes).toBe(4444);
    dev.kill("SIGTERM");
    expect((await third.closed).code).toBe(4012);
    expect(await dev.exited).toBe(0);
  } finally {
    await rm(folder, { recursive: true });
  }
});

test("dev logs for people, at debug; --quiet leaves that away", async () => {
  const connectAndStop = async (args: string[]) => {
    await using dev = startCli(["dev", "--port", "0", ...args]);
    const [, url = "", token = ""] = await dev.until(
      /Open\s+(http:\/\/localhost:\d+)[\s\S]*--token (\S+)[\s\S]*Ctrl-C stops it/,
    );
    const client = await RawClient.connect(`${url.replace("http", "ws")}/ws?token=${token}`);
    await client.close();
    dev.kill("SIGTERM");
    await dev.exited;
    return dev.stderr();
  };
  const told = await connectAndStop([]);
  expect(told).toMatch(/^\d\d:\d\d:\d\d debug connection opened {2}connectionId=\S+$/m);
  expect(told).not.toContain("{");
  expect(await connectAndStop(["--quiet"])).not.toContain("connection opened");
});
