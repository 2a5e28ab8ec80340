import { expect, test } from "bun:test";
import { createFakeClock } from "@aldis/testkit";
import { Unavailable } from "../unavailable.ts";
import { runTurn } from "./run-turn.ts";

test("a job that waits for what is away is told at debug alone, a fault as a warning", async () => {
  const logged: string[] = [];
  const note = (level: string) => (_fields: object, message: string) =>
    void logged.push(`${level}: ${message}`);
  const log = {
    isLevelEnabled: () => true,
    ...{ debug: note("debug"), info: note("info"), warn: note("warn"), error: note("error") },
  };
  const deps = { clock: createFakeClock(), log, backoffMs: () => 1_000 };
  const { signal } = new AbortController();
  const job = { tenant: "acme", key: "k", failures: 0, signal, lost: signal };
  for (const error of [new Unavailable("the store is away"), new Error("odd")]) {
    const kind = { name: "k", queue: "history", run: () => Promise.reject(error) } as const;
    expect(await runTurn(deps, kind as never, job as never)).toMatchObject({ end: "failed" });
  }
  expect(logged).toEqual(["debug: a job waits", "warn: a job failed"]);
});
