/** The built package under Node 20, which has no WebSocket of its own, against a real gateway. */
import { expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { symlink } from "node:fs/promises";
import { join } from "node:path";
import { startTcpProxy, startTestGateway } from "@aldis/testkit";
import { installPublished } from "./support/published.ts";

const NODE = existsSync("/usr/bin/node") ? "/usr/bin/node" : "node";
const WS = join(import.meta.dir, "../node_modules/ws");

/** Prints one line for each thing that happened, and ends by itself once the client is closed. */
const SCRIPT = `
import { createInterface } from "node:readline";
import { createClient } from "@aldis/client";
import { WebSocket } from "ws";

const [, , url, token] = process.argv;
const say = (line) => process.stdout.write(line + "\\n");
if (globalThis.WebSocket === undefined) {
  try {
    createClient({ url });
  } catch (error) {
    say("without: " + error.code);
  }
}
// Given up while it connects: \`ws\` fails such a socket with an error that somebody must listen to.
const brief = createClient({ url, token, WebSocket });
brief.connect();
await new Promise((resolve) => setImmediate(resolve));
brief.close();
const client = createClient({ url, token, WebSocket, backoff: { minMs: 1, maxMs: 20 } });
const sub = client.subscribe("chat:lobby");
sub.on("message", ({ offset, data }) => say("message " + offset + " " + data));
client.connect();
await sub.ready;
say("subscribed");
const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
await lines.next();
const { offset } = await client.publish("chat:lobby", "from node");
say("published " + offset);
await lines.next();
client.close();
say(client.state.name);
process.stdin.destroy();
`;

test("the bundle runs under Node 20 with ws, resumes after a cut, and lets the process end", async () => {
  await using published = await installPublished();
  const { folder } = published;
  await symlink(WS, join(folder, "node_modules/ws"));
  await Bun.write(join(folder, "main.js"), SCRIPT);
  await using gateway = await startTestGateway();
  await using proxy = startTcpProxy(Number(new URL(gateway.url).port));
  const url = `ws://127.0.0.1:${proxy.port}/ws`;
  const child = Bun.spawn([NODE, "main.js", url, await gateway.token()], {
    cwd: folder,
    stdin: "pipe",
    stdout: "pipe",
    stderr: "pipe",
  });
  const stderr = new Response(child.stderr).text();
  const decoder = new TextDecoder();
  let output = "";
  const until = async (text: string) => {
    while (!output.includes(text)) {
      const { value, done } = await reader.read();
      if (done) throw new Error(`it ended before ${text}: ${output}${await stderr}`);
      output += decoder.decode(value);
    }
  };
  const reader = child.stdout.getReader();
  await until("subscribed\n");
  await gateway.publish("chat:lobby", "one");
  await until("message 1 one\n");
  proxy.cut();
  await gateway.publish("chat:lobby", "two");
  await until("message 2 two\n");
  child.stdin.write("go\n");
  await until("published 3\n");
  await until("message 3 from node\n");
  child.stdin.write("end\n");
  await until("closed\n");
  expect(await child.exited).toBe(0);
  expect(await stderr).toBe("");
  const expected = ["subscribed", "message 1 one", "message 2 two", "closed"];
  for (const line of expected) expect(output.split("\n").filter((l) => l === line)).toHaveLength(1);
  if (output.includes("without")) expect(output).toContain("without: bad_request");
}, 60_000);
