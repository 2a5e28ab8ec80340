import { expect, test } from "bun:test";
import { existsSync, mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { eventually } from "./eventually.ts";
import { freeze, freezeWithChildren, isStill, letGo, processesOf } from "./processes.ts";

/** Linux alone has it; elsewhere there is nothing to wait by. */
const noProc = existsSync("/proc/self/task") ? undefined : "no /proc on this system";

/** A process that writes lines without end, and a child of it that does the same. */
const WRITERS = "(while :; do echo; done) & while :; do echo; done";

async function startWriters() {
  const folder = mkdtempSync(join(tmpdir(), "aldis-writers-"));
  const file = join(folder, "lines");
  const child = Bun.spawn(["sh", "-c", WRITERS], { stdout: Bun.file(file), stderr: "inherit" });
  const written = () => statSync(file).size;
  await eventually("lines", () => written() > 0 && processesOf(child.pid).length === 2);
  return {
    pid: child.pid,
    written,
    async [Symbol.asyncDispose]() {
      for (const pid of processesOf(child.pid)) process.kill(pid, "SIGKILL");
      await child.exited;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

test.skipIf(noProc !== undefined)(
  noProc ?? "what is frozen does nothing more, from the first moment on, until it is let go",
  async () => {
    await using writers = await startWriters();
    const { pid, written } = writers;
    for (let round = 0; round < 20; round++) {
      await freezeWithChildren(pid);
      const before = written();
      for (let look = 0; look < 100; look++) expect(written()).toBe(before);
      letGo(...processesOf(pid));
      await eventually("more lines", () => written() > before);
    }
  },
);

test("who is gone is still", async () => {
  const child = Bun.spawn(["true"]);
  await child.exited;
  await freeze(child.pid);
  expect(isStill(child.pid)).toBe(true);
  letGo(child.pid);
});
