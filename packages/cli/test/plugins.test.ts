/** Plugins by the real command line: the examples run, faults are told in one line, changes are taken over. */
import { expect, test } from "bun:test";
import { cp, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createHttpClient, eventually, RawClient } from "@aldis/testkit";
import { startProduction, TEST_KEYS } from "./support/production.ts";
import { ROOT, runCli, startCli } from "./support/run-cli.ts";

const EXAMPLES = join(ROOT, "examples/plugins");
const { ALDIS_API_KEY: KEY } = TEST_KEYS;

async function tokenOf(user: string): Promise<string> {
  const args = ["token", "--user", user, "--capability", "*=subscribe,publish"];
  return (await runCli(args, TEST_KEYS)).stdout.trim();
}

/** A folder with a config file and plugins of its own; nothing is installed there. */
async function withFolder(
  files: Readonly<Record<string, string>>,
  run: (folder: string) => Promise<void>,
): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "aldis-plugins-"));
  try {
    for (const [name, text] of Object.entries(files)) await Bun.write(join(folder, name), text);
    await run(folder);
  } finally {
    await rm(folder, { recursive: true });
  }
}

test("the example of twenty lines, named by a config file beside it", async () => {
  const plugins = [{ module: "./polite.ts", config: { words: ["darn"] } }];
  await withFolder({ "aldis.json": JSON.stringify({ plugins }) }, async (folder) => {
    await cp(join(EXAMPLES, "polite.ts"), join(folder, "polite.ts"));
    expect((await Bun.file(join(folder, "polite.ts")).text()).split("\n").length).toBeLessThan(25);
    const config = join(folder, "aldis.json");
    const checked = await runCli(["config", "check", "--config", config], TEST_KEYS);
    expect([checked.code, checked.stderr.includes("plugin")]).toEqual([0, false]);
    await using gateway = await startProduction(TEST_KEYS, ["--config", config]);
    const ann = await RawClient.connect(`${gateway.wsUrl}?token=${await tokenOf("ann")}`);
    expect(await ann.must("polite_words", {})).toEqual({ words: ["darn"] });
    await ann.must("subscribe", { channel: "chat:a" });
    await ann.must("publish", { channel: "chat:a", data: { text: "darn it" } });
    expect((await ann.next("message")).data.data).toEqual({ text: "**** it" });
    gateway.kill("SIGTERM");
    expect(await gateway.exited).toBe(0);
  });
});

test("the example with records and routes: one vote a user, on any connection", async () => {
  const config = { plugins: [join(EXAMPLES, "poll.ts")] };
  await withFolder({ "aldis.json": JSON.stringify(config) }, async (folder) => {
    const env = { ...TEST_KEYS, ALDIS_STORE_URL: `sqlite:${folder}/polls.db` };
    await using gateway = await startProduction(env, ["--config", join(folder, "aldis.json")]);
    await eventually("the store to be open", async () => {
      return (await fetch(`${gateway.url}/health/ready`)).ok;
    });
    const asBackend = createHttpClient(gateway.url, KEY);
    const body = JSON.stringify({ question: "Lunch?", choices: ["soup", "salad"] });
    const headers = { "content-type": "application/json" };
    const asked = await asBackend("/api/polls/lunch", { method: "PUT", headers, body });
    expect([asked.status, asked.body.votes]).toEqual([200, [0, 0]]);
    const token = await tokenOf("ann");
    const connect = () => RawClient.connect(`${gateway.wsUrl}?token=${token}`);
    const [ann, tab] = [await connect(), await connect()];
    await tab.must("subscribe", { channel: "poll:lunch" });
    expect((await ann.refused("poll_vote", { poll: "dinner", choice: 0 })).code).toBe("not_found");
    const vote = { poll: "lunch", choice: 1 };
    expect((await ann.must("poll_vote", vote)).votes).toEqual([0, 1]);
    expect((await tab.next("message")).data).toMatchObject({ event: "result" });
    expect((await tab.refused("poll_vote", vote)).message).toBe("you have voted");
    const seen = await createHttpClient(gateway.url, token)("/api/polls/lunch");
    expect([seen.status, seen.body.votes]).toEqual([200, [0, 1]]);
  });
});

test("every fault is told at once, each in one line with its path; exit code 78", async () => {
  const contract = 'from "@aldis/server/plugin";';
  const files = {
    "no-default.ts": "export const plugin = 1;",
    "syntax.ts": "export default {",
    "throws.ts": 'throw new Error("no licence\\nsecond line");',
    "shape.ts": "export default { name: 7 };",
    "config.ts": `import { definePlugin, z } ${contract} export default definePlugin({ name: "c", config: z.object({ n: z.number() }) });`,
  };
  const plugins = ["./gone.ts", ...Object.keys(files).map((name) => `./${name}`)];
  await withFolder({ ...files, "aldis.json": JSON.stringify({ plugins }) }, async (folder) => {
    const config = ["--config", join(folder, "aldis.json")];
    for (const command of [
      ["start", "--port", "0"],
      ["config", "check"],
    ]) {
      const { code, stderr, stdout } = await runCli([...command, ...config], TEST_KEYS);
      expect([code, stdout]).toEqual([78, ""]);
      const lines = stderr
        .trim()
        .split("\n")
        .map((line) => line.trim().replace(/ {2,}/g, " "));
      expect(lines).toEqual([
        "aldis: 6 problems in the configuration",
        `plugins.0 ./gone.ts: there is no file ${folder}/gone.ts`,
        "plugins.1 ./no-default.ts: has no default export: `export default definePlugin({ … })`",
        expect.stringMatching(/^plugins\.2 \.\/syntax\.ts: cannot be loaded: ./),
        "plugins.3 ./throws.ts: cannot be loaded: no licence",
        "plugins.4 ./shape.ts: has no `name` of lower case letters, digits and `-`",
        expect.stringMatching(/^plugins\.5 \.\/config\.ts: its config: n: /),
      ]);
    }
  });
});

test("a name that is taken, and an action that another one has, are told at start", async () => {
  const plugin = (name: string, actions = "{}") =>
    `export default { name: "${name}", actions: ${actions} };`;
  const files = {
    "one.ts": plugin("one", "{ act: { input: () => ({}), run: () => ({}) } }"),
    "same.ts": plugin("one"),
    "two.ts": plugin("two", "{ act: { input: () => ({}), run: () => ({}) } }"),
    "typing.ts": plugin("typing"),
  };
  await withFolder(files, async (folder) => {
    const start = async (...names: string[]) => {
      const paths = names.map((name) => join(folder, `${name}.ts`));
      const env = { ...TEST_KEYS, ALDIS_PLUGINS: JSON.stringify(paths) };
      const { code, stderr } = await runCli(["start", "--port", "0"], env);
      expect(code).toBe(78);
      return stderr;
    };
    expect(await start("one", "same")).toContain("plugin one: another plugin has this name");
    expect(await start("typing")).toContain("plugin typing: another plugin has this name");
    expect(await start("one", "two")).toContain("plugin two: action act is another plugin's");
  });
});

test("dev takes over what changes in a plugin's file; a wrong change leaves the old in force", async () => {
  const plugin = (answer: number) =>
    `import { action, definePlugin, z } from "@aldis/server/plugin";
     export default definePlugin({ name: "mine", actions: {
       mine: action({ input: z.object({}), run: () => ({ answer: ${answer} }) }) } });`;
  const files = { "mine.ts": plugin(1), "aldis.yaml": "plugins: [./mine.ts]\n" };
  await withFolder(files, async (folder) => {
    await using dev = startCli(["dev", "--port", "0", "--config", join(folder, "aldis.yaml")]);
    const [, url = "", token = ""] = await dev.until(
      /Open\s+(http:\/\/localhost:\d+)[\s\S]*--token (\S+)[\s\S]*Ctrl-C stops it/,
    );
    const wsUrl = `${url.replace("http", "ws").replace("localhost", "127.0.0.1")}/ws?token=${token}`;
    const first = await RawClient.connect(wsUrl);
    expect(await first.must("mine", {})).toEqual({ answer: 1 });
    await Bun.write(join(folder, "mine.ts"), "export default {");
    await dev.until(/the change is not taken over[\s\S]*mine\.ts: cannot be loaded/);
    expect(await first.must("mine", {})).toEqual({ answer: 1 });
    await Bun.write(join(folder, "mine.ts"), plugin(2));
    await first.closed;
    await dev.until(/started anew/);
    const second = await RawClient.connect(wsUrl);
    expect(await second.must("mine", {})).toEqual({ answer: 2 });
  });
});
