import { expect, test } from "bun:test";
import { catchSignals } from "./signals.ts";

/** A process whose signals and time a test has in its hand. */
function fakeProcess() {
  const listeners = new Map<string, () => void>();
  const exits: number[] = [];
  let nowMs = 1_000;
  return {
    source: {
      on: (signal: string, listener: () => void) => void listeners.set(signal, listener),
      exit: (code: number) => void exits.push(code),
      nowMs: () => nowMs,
    },
    exits,
    signal: (name: "SIGINT" | "SIGTERM") => listeners.get(name)?.(),
    advance(ms: number) {
      nowMs += ms;
    },
  };
}

test("the first signal is a request to stop", async () => {
  const { source, exits, signal } = fakeProcess();
  const stopping = catchSignals(source);
  signal("SIGTERM");
  await stopping;
  expect(exits).toEqual([]);
});

test("what a process group and its wrappers send together is one request", () => {
  const { source, exits, signal, advance } = fakeProcess();
  void catchSignals(source);
  signal("SIGINT");
  signal("SIGINT");
  advance(499);
  signal("SIGTERM");
  expect(exits).toEqual([]);
});

test.each([
  ["SIGINT", 130],
  ["SIGTERM", 143],
] as const)("a second %s, half a second later, ends the process at once", (second, code) => {
  const { source, exits, signal, advance } = fakeProcess();
  void catchSignals(source);
  signal("SIGTERM");
  advance(500);
  signal(second);
  expect(exits).toEqual([code]);
});
