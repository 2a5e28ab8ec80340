import { expect, test } from "bun:test";
import { createLogOutput } from "./log-output.ts";

/** A stream whose reader the test is. */
function openStream() {
  const written: string[] = [];
  const listeners = new Map<string, () => void>();
  const state = { takes: true };
  return {
    written,
    state,
    happen: (event: "drain" | "error") => listeners.get(event)?.(),
    stream: {
      write(text: string) {
        written.push(text);
        return state.takes;
      },
      on: (event: string, listener: () => void) => listeners.set(event, listener),
    },
  };
}

const LINE = `${"x".repeat(1023)}\n`;

test("faults 11: a reader that takes nothing costs a mebibyte, and is told what it missed", () => {
  const { written, state, happen, stream } = openStream();
  const log = createLogOutput(stream, () => 7);
  log("first\n");
  state.takes = false;
  for (let n = 0; n < 5_000; n++) log(LINE);
  expect(written).toHaveLength(1 + 1024);
  state.takes = true;
  happen("drain");
  const told = JSON.parse(written.at(-1) ?? "");
  expect(told).toEqual({
    level: "warn",
    time: 7,
    lines: 5_000 - 1024,
    msg: "log lines were dropped",
  });
  log("next\n");
  expect(written.at(-1)).toBe("next\n");
  happen("drain");
  expect(written.at(-1)).toBe("next\n");
});

test("faults 11: after an error the next line is tried", () => {
  const { written, state, happen, stream } = openStream();
  const log = createLogOutput(stream);
  state.takes = false;
  for (let n = 0; n < 3; n++) {
    for (let line = 0; line < 2_000; line++) log(LINE);
    expect(written).toHaveLength(1024 * (n + 1));
    happen("error");
  }
});
