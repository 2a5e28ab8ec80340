import { describe, expect, test } from "bun:test";
import { CLOSED, OPENING, type Ruling, rule, type SessionState } from "./session-state.ts";
import { World } from "./test/world.ts";
import { WaitingFrames } from "./waiting-frames.ts";

const COMMANDS = ["connect", "ping", "publish", "refresh", "typing"] as const;

describe("[AU2] [AU4] what a state does with a command", async () => {
  const { identity } = (await new World().connect()).session;
  test.each<[SessionState, Ruling[]]>([
    [OPENING, ["handle", "handle", "require-token", "require-token", "require-token"]],
    [
      { name: "verifying", waiting: new WaitingFrames({ frames: 1, length: 1 }) },
      ["wait", "wait", "wait", "wait", "wait"],
    ],
    [{ name: "connected", identity }, ["refuse", "handle", "handle", "handle", "handle"]],
    [CLOSED, ["ignore", "ignore", "ignore", "ignore", "ignore"]],
  ])("%p", (state, rulings) => {
    expect(COMMANDS.map((action) => rule(state, action))).toEqual(rulings);
  });
});
