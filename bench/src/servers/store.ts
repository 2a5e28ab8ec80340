import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { postgresPrograms, startPostgres } from "@aldis/testkit";
import type { StoreName } from "../scenario.ts";
import type { Machine } from "./launch.ts";

/** A database of the bench's own, fresh for each measurement: a file for SQLite, which runs in the server's process, or a server on its core. */
export type BenchStore = AsyncDisposable & { readonly url: string };

export function hasStore(name: StoreName): boolean {
  return name === "sqlite" || postgresPrograms() !== undefined;
}

export async function openStore(machine: Machine, name: StoreName): Promise<BenchStore> {
  return name === "sqlite" ? openFile() : openPostgres(machine);
}

function openFile(): BenchStore {
  const folder = mkdtempSync(join(tmpdir(), "aldis-bench-"));
  return {
    url: `sqlite:${join(folder, "bench.db")}`,
    async [Symbol.asyncDispose]() {
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function openPostgres({ taskset }: Machine): Promise<BenchStore> {
  const server = await startPostgres();
  if (taskset !== undefined) {
    const command = [taskset, "-acp", "0", String(server.pid)];
    await Bun.spawn(command, { stdout: "ignore", stderr: "inherit" }).exited;
  }
  const url = await server.createDatabase();
  return { url, [Symbol.asyncDispose]: () => server[Symbol.asyncDispose]() };
}
