import { Database } from "bun:sqlite";
import { expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isStill, letGo } from "../processes.ts";
import { freezeBetweenCommits } from "./freeze-between-commits.ts";

test("who is frozen between its commits stands still, and leaves the database to others", async () => {
  const folder = mkdtempSync(join(tmpdir(), "aldis-writer-"));
  const path = join(folder, "a.db");
  const script = join(import.meta.dir, "write-forever.ts");
  const child = Bun.spawn([process.execPath, script, path], { stdout: "pipe", stderr: "inherit" });
  try {
    await child.stdout.getReader().read();
    for (let round = 0; round < 5; round++) {
      await freezeBetweenCommits(child.pid, path);
      expect(isStill(child.pid)).toBe(true);
      using database = new Database(path);
      database.run("PRAGMA busy_timeout = 0");
      database.run("INSERT INTO lines VALUES ('of another')");
      letGo(child.pid);
    }
  } finally {
    child.kill("SIGKILL");
    await child.exited;
    rmSync(folder, { recursive: true, force: true });
  }
});
