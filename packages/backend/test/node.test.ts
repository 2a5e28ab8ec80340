/** The built package under Node, with what Node 18 does not have taken away, against a real gateway. */
import { expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { freePort } from "@aldis/testkit";
import { startFlakyProxy } from "./support/flaky.ts";
import { withStore } from "./support/gateway.ts";
import { installPublished } from "./support/published.ts";

const NODE = existsSync("/usr/bin/node") ? "/usr/bin/node" : "node";

/** Globals that came after Node 18; `crypto` goes by a flag. */
const OLDER = `
delete AbortSignal.any;
delete Promise.withResolvers;
delete Array.fromAsync;
delete Object.groupBy;
delete Response.json;
for (const name of ["toSorted", "toReversed", "with", "toSpliced"]) delete Array.prototype[name];
delete globalThis.navigator;
delete globalThis.WebSocket;
`;

const SCRIPT = `
import "./older.js";
import { AldisError, createBackend, createToken } from "@aldis/backend";

const [, , url, apiKey, secret, shakyUrl, deadUrl] = process.argv;
const say = (line) => process.stdout.write(JSON.stringify(line) + "\\n");
say(globalThis.crypto === undefined);
const backend = createBackend({ url, apiKey });
say((await backend.publish("chat:lobby", { text: "from node" })).offset);
say((await backend.publish("chat:lobby", new Uint8Array([1, 2, 255]))).offset);
for await (const { data, base64 } of backend.history("chat:lobby", { limit: 1 })) say(base64 ?? data.text);
for (const name of ["Ann", "Anna", "Bo"]) await backend.users.update(name.toLowerCase(), { name });
const found = [];
for await (const user of backend.users.search("an", { limit: 1 })) found.push(user.name);
say(found.sort());
const token = await createToken({ secret, user: "ann", name: "Ann", capabilities: { "chat:*": ["subscribe"] } });
say((await backend.tokens.identify(token)).name);
try {
  await backend.users.get("nobody");
} catch (error) {
  say([error instanceof AldisError, error.code, error.status, typeof error.requestId]);
}
const gone = new AbortController();
gone.abort(new Error("gone"));
// Breaks off after the gateway has done it.
const shaky = createBackend({ url: shakyUrl, apiKey });
const told = ({ code, effect }) => [code, effect];
say(await shaky.users.send("ann", 1).catch(told));
say((await shaky.publish("shaky", 1)).duplicate);
say(await createBackend({ url: deadUrl, apiKey, retries: 1 }).users.send("ann", 1).catch(told));
say(await backend.publish("a", 1, { signal: gone.signal }).catch((error) => error.message));
`;

test("the bundle runs as it would under Node 18", async () => {
  await using published = await installPublished();
  const { folder } = published;
  await Bun.write(join(folder, "older.js"), OLDER);
  await Bun.write(join(folder, "main.js"), SCRIPT);
  await using gateway = await withStore();
  await using shaky = await startFlakyProxy(gateway.url);
  shaky.dropAnswers(2);
  const dead = `http://localhost:${await freePort()}`;
  const secret = "a secret that only tests know, long enough";
  const child = Bun.spawn(
    [
      ...[NODE, "--no-experimental-global-webcrypto", "main.js"],
      ...[gateway.url, gateway.apiKey, secret, shaky.url, dead],
    ],
    { cwd: folder, stdout: "pipe", stderr: "pipe" },
  );
  const [out, problems] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
  ]);
  expect([await child.exited, problems]).toEqual([0, ""]);
  const lines = out.trim().split("\n");
  expect(lines.map((line) => JSON.parse(line))).toEqual([
    true,
    1,
    2,
    "AQL/",
    "from node",
    ["Ann", "Anna"],
    "Ann",
    [true, "not_found", 404, "string"],
    ["network", "unknown"],
    true,
    ["network", "none"],
    "gone",
  ]);
  expect(shaky.seen).toHaveLength(3);
}, 60_000);
