import { expect, test } from "bun:test";
import { isStill, processesOf } from "../processes.ts";
import { startPostgres } from "./postgres-server.ts";

test("a PostgreSQL that is killed has what it acknowledged when it is started again", async () => {
  await using postgres = await startPostgres();
  await postgres.psql("CREATE TABLE t (n int); INSERT INTO t VALUES (1)");
  await postgres.kill();
  await expect(postgres.psql("SELECT 1")).rejects.toThrow("psql");
  await postgres.start();
  expect(await postgres.psql("SELECT n FROM t")).toBe("1");
  await postgres.stop();
  await postgres.start();
  expect(await postgres.psql("SELECT n FROM t")).toBe("1");
});

test("a PostgreSQL that is frozen answers when it is let go", async () => {
  await using postgres = await startPostgres();
  await postgres.pause();
  const answer = postgres.psql("SELECT 1");
  expect(processesOf(postgres.pid).filter((pid) => !isStill(pid))).toEqual([]);
  postgres.resume();
  expect(await answer).toBe("1");
});

test("each database is a new one, and texts are not ordered by bytes unless that is asked for", async () => {
  await using postgres = await startPostgres();
  const [first, second] = [await postgres.createDatabase(), await postgres.createDatabase()];
  expect(first).not.toBe(second);
  expect(await postgres.psql("SELECT 'a' < 'B'", new URL(first).pathname.slice(1))).toBe("t");
});
