// A process that is stopped amid a commit keeps SQLite's lock, and nobody else writes: what a kernel does to nobody, and a test that stops processes to itself.
import { Database, SQLiteError } from "bun:sqlite";
import { eventually } from "../eventually.ts";
import { freeze, letGo } from "../processes.ts";

const LOOKS = 40;
const LOOK_MS = 5;

/** Freezes a process that shares the SQLite at `path` with others, where they can go on writing. */
export async function freezeBetweenCommits(pid: number, path: string): Promise<void> {
  await eventually(`process ${pid} to stand still, and nobody with it`, async () => {
    await freeze(pid);
    if (await canWrite(path)) return true;
    letGo(pid);
    return false;
  });
}

/** Whether anybody can: those who are at it now have come to their end between two looks. */
async function canWrite(path: string): Promise<boolean> {
  using database = new Database(path, { readwrite: true });
  database.run("PRAGMA busy_timeout = 0");
  for (let look = 0; look < LOOKS; look++) {
    if (beginsToWrite(database)) return true;
    await Bun.sleep(LOOK_MS);
  }
  return false;
}

function beginsToWrite(database: Database): boolean {
  try {
    database.run("BEGIN IMMEDIATE");
  } catch (error) {
    if (error instanceof SQLiteError && error.code?.startsWith("SQLITE_BUSY")) return false;
    throw error;
  }
  database.run("ROLLBACK");
  return true;
}
