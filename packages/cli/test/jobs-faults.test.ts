/** Gateways and workers as real processes on one SQLite file: what was asked for is done, whoever dies or stands still. */
import { expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  createHttpClient,
  createSeededRandom,
  eventually,
  freezeBetweenCommits,
} from "@aldis/testkit";
import { TEST_KEYS } from "./support/production.ts";
import { ROOT, type Running, startCli } from "./support/run-cli.ts";

const KEYS = ["a", "b", "c", "d", "e", "f"];
const KILLS = 5;
const LEASE_MS = 2_000;
const PLUGIN = join(ROOT, "packages/cli/test/support/counting-plugin.ts");

type Scene = AsyncDisposable & {
  /** Of the database. */
  readonly path: string;
  worker(): Promise<Running>;
  ask(key: string): Promise<void>;
  /** All that was asked for is done. */
  done(): Promise<boolean>;
  journal(): Turn[];
};

type Turn = {
  readonly what: string;
  readonly pid: number;
  readonly key: string;
  readonly turn: string;
};

async function openScene(turnMs: number): Promise<Scene> {
  const folder = mkdtempSync(join(tmpdir(), "aldis-jobs-"));
  const journal = join(folder, "journal");
  const path = join(folder, "aldis.db");
  const config = join(folder, "aldis.json");
  const plugins = [{ module: PLUGIN, config: { journal, turnMs } }];
  await Bun.write(journal, "");
  await Bun.write(
    config,
    JSON.stringify({ plugins, jobs: { leaseMs: LEASE_MS, pollMs: 50, sweepMs: 3_600_000 } }),
  );
  const env = { ...TEST_KEYS, ALDIS_STORE_URL: `sqlite:${path}` };
  const running: Running[] = [];
  const start = async (role: string) => {
    const one = startCli([role, "--config", config, "--port", "0", "--host", "127.0.0.1"], env);
    running.push(one);
    const [, url = ""] = await one.until(/"url":"(http[^"]+)"/);
    await eventually("it is ready", async () => (await fetch(`${url}/health/ready`)).ok);
    return { one, url };
  };
  const { url } = await start("gateway");
  const call = createHttpClient(url, TEST_KEYS.ALDIS_API_KEY);
  return {
    path,
    worker: async () => (await start("worker")).one,
    async ask(key) {
      const { status } = await call(`/api/counting/${key}`, { method: "POST" });
      expect(status).toBe(200);
    },
    async done() {
      const { body } = await call("/api/counting");
      return body.open === 0;
    },
    journal: () =>
      readFileSync(journal, "utf8")
        .split("\n")
        .filter((line) => line !== "")
        .map((line) => {
          const [what = "", pid, key = "", turn = ""] = line.split(" ");
          return { what, pid: Number(pid), key, turn };
        }),
    async [Symbol.asyncDispose]() {
      for (const one of running) await one[Symbol.asyncDispose]();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Processes that are in a turn, or ended in one. */
function openIn(journal: readonly Turn[]): ReadonlySet<number> {
  const open = new Map<string, number>();
  for (const { what, pid, turn } of journal) {
    if (what === "begin") open.set(`${pid} ${turn}`, pid);
    else open.delete(`${pid} ${turn}`);
  }
  return new Set(open.values());
}

/** Turns of a key that began while another process that lived was in one. */
function overlapsIn(journal: readonly Turn[], dead: ReadonlySet<number>): string[] {
  const working = new Map<string, number>();
  const overlaps: string[] = [];
  for (const { what, pid, key } of journal) {
    const other = working.get(key);
    if (what === "end") {
      if (other === pid) working.delete(key);
      continue;
    }
    if (other !== undefined && !dead.has(other)) overlaps.push(`${key}: ${other} and ${pid}`);
    working.set(key, pid);
  }
  return overlaps;
}

test("P4, faults 1: workers are killed in the middle of their work, again and again: each wake is followed by a turn that ends, one at a time", async () => {
  await using scene = await openScene(40);
  const random = createSeededRandom(Date.now());
  const dead = new Set<number>();
  const workers = [await scene.worker(), await scene.worker()];
  for (let kill = 0; kill < KILLS; kill++) {
    for (let n = random.between(3, 10); n > 0; n--) await scene.ask(random.pick(KEYS));
    const asking = Promise.all(KEYS.map((key) => scene.ask(key)));
    const victim = await eventually("one is in a turn", () => {
      const busy = openIn(scene.journal());
      return workers.find(({ pid }) => busy.has(pid) && !dead.has(pid));
    });
    victim.kill("SIGKILL");
    dead.add(victim.pid);
    await asking;
    workers[workers.indexOf(victim)] = await scene.worker();
  }
  await eventually("all that was asked for is done", () => scene.done(), 10 * LEASE_MS);
  const journal = scene.journal();
  expect([...openIn(journal)].every((pid) => dead.has(pid))).toBe(true);
  expect(overlapsIn(journal, dead)).toEqual([]);
}, 120_000);

test("faults 4: a worker that stood still for longer than its lease has lost its keys, and does no harm when it comes back", async () => {
  await using scene = await openScene(300);
  const sleeper = await scene.worker();
  await scene.ask("a");
  await eventually("it stands still in its turn", async () => {
    await eventually("it is in a turn", async () => {
      if (openIn(scene.journal()).has(sleeper.pid)) return true;
      await scene.ask("a");
      return false;
    });
    await freezeBetweenCommits(sleeper.pid, scene.path);
    if (openIn(scene.journal()).has(sleeper.pid)) return true;
    sleeper.kill("SIGCONT");
    return false;
  });
  const other = await scene.worker();
  await eventually("another has done it", () => scene.done(), 10 * LEASE_MS);
  sleeper.kill("SIGCONT");
  await sleeper.until(/the lease of this worker is over/);
  // A key that is woken in its turn is taken up by who has it, sooner than any other finds it: beside another, this one could wait for ever.
  await other.insist("SIGTERM");
  const before = scene.journal().length;
  for (const key of KEYS) await scene.ask(key);
  await eventually("it does all that is asked for now", () => {
    const since = scene.journal().slice(before);
    const begun = since.filter(({ what, pid }) => what === "begin" && pid === sleeper.pid);
    return new Set(begun.map(({ key }) => key)).size === KEYS.length;
  });
  await eventually("all is done", () => scene.done(), 10 * LEASE_MS);
}, 120_000);
