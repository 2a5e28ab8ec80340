import { describe, expect, test } from "bun:test";
import { createFakeClock } from "@aldis/testkit";
import { createKeyGuesses } from "./key-guesses.ts";

function open(keyGuessesPerMinute = 3, addressesMax = 100) {
  const clock = createFakeClock();
  const deps = { clock, seed: 7, onForgotten: () => {} };
  const guesses = createKeyGuesses(deps, { keyGuessesPerMinute, addressesMax });
  let asked = 0;
  const from = (address: string) => () => {
    asked++;
    return address;
  };
  return {
    clock,
    /** One request with a key: how it ended. */
    call(address: string, key: string): "right" | "wrong" | number {
      const waitMs = guesses.waitMs(key, from(address));
      if (waitMs > 0) return waitMs;
      if (key.startsWith("good")) {
        guesses.noteRight(key, from(address));
        return "right";
      }
      guesses.noteWrong(from(address));
      return "wrong";
    },
    asked: () => asked,
  };
}

describe("[LI3] faults 29: guesses of API keys", () => {
  test("so many are judged a minute, then none of that address; others go on", () => {
    const { call, clock } = open();
    for (const key of ["a", "b", "c"]) expect(call("1.1.1.1", key)).toBe("wrong");
    expect(call("1.1.1.1", "d")).toBeCloseTo(20_000, 6);
    expect(call("1.1.1.1", "good, but never seen here")).toBeNumber();
    expect(call("2.2.2.2", "d")).toBe("wrong");
    expect(call("2.2.2.2", "good")).toBe("right");
    clock.advance(20_000);
    expect(call("1.1.1.1", "e")).toBe("wrong");
    expect(call("1.1.1.1", "f")).toBeNumber();
  });

  test("a guesser does not lock out whom it shares its address with", () => {
    const { call } = open();
    expect(call("1.1.1.1", "good 1")).toBe("right");
    for (let n = 0; n < 50; n++) call("1.1.1.1", `guess ${n}`);
    expect(call("1.1.1.1", "good 1")).toBe("right");
    expect(call("1.1.1.1", "guess")).toBeNumber();
    // Right from elsewhere is not right from here: a guesser who hits a key in use elsewhere must not be told.
    expect(call("3.3.3.3", "good 2")).toBe("right");
    expect(call("1.1.1.1", "good 2")).toBeNumber();
  });

  test("a key in use stays known, from each of its addresses, and costs no look at the address", () => {
    const { call, clock, asked } = open();
    for (let n = 0; n < 1_000; n++) expect(call("1.1.1.1", "good")).toBe("right");
    expect(asked()).toBe(1);
    clock.advance(100);
    expect(call("2.2.2.2", "good")).toBe("right");
    clock.advance(12 * 3_600_000);
    for (const address of ["1.1.1.1", "2.2.2.2"]) {
      for (let n = 0; n < 9; n++) call(address, `guess ${n}`);
      expect(call(address, "good")).toBe("right");
    }
  });

  test("refused guesses do not lengthen the wait", () => {
    const { call, clock } = open();
    for (let n = 0; n < 500; n++) call("1.1.1.1", `guess ${n}`);
    const waitMs = call("1.1.1.1", "next");
    if (typeof waitMs !== "number") return expect.unreachable();
    clock.advance(Math.ceil(waitMs));
    expect(call("1.1.1.1", "next")).toBe("wrong");
  });

  test("a guesser with a million addresses costs a bounded table", () => {
    let forgotten = 0;
    const onForgotten = (count: number) => {
      forgotten += count;
    };
    const clock = createFakeClock();
    const guesses = createKeyGuesses(
      { clock, seed: 7, onForgotten },
      { keyGuessesPerMinute: 1, addressesMax: 10 },
    );
    for (let n = 0; n < 1_000; n++) guesses.noteWrong(() => `address ${n}`);
    expect(forgotten).toBeGreaterThan(900);
  });

  test("0 judges all", () => {
    const { call } = open(0);
    for (let n = 0; n < 100; n++) expect(call("1.1.1.1", `guess ${n}`)).toBe("wrong");
  });
});
