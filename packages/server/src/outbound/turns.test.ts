import { describe, expect, test } from "bun:test";
import { Turns } from "./turns.ts";

function open(options: Partial<ConstructorParameters<typeof Turns>[0]> = {}) {
  const turns = new Turns({ perOrigin: 2, total: 3, waitingMax: 100, ...options });
  const running: string[] = [];
  const ends = new Map<string, () => void>();
  return {
    ...{ turns, running },
    take(name: string, label = name) {
      return turns.take(name, (done) => {
        running.push(label);
        ends.set(label, done);
      });
    },
    end(label: string) {
      running.splice(running.indexOf(label), 1);
      ends.get(label)?.();
    },
  };
}

describe("P3: turns", () => {
  test("are so many for one, and so many for all; the next comes when one ends, in order", () => {
    const { turns, running, take, end } = open();
    for (const label of ["a1", "a2", "a3"]) take("a", label);
    for (const label of ["b1", "b2"]) take("b", label);
    expect(running).toEqual(["a1", "a2", "b1"]);
    expect(turns.count).toBe(5);
    end("a1");
    expect(running).toEqual(["a2", "b1", "a3"]);
    end("a2");
    expect(running).toEqual(["b1", "a3", "b2"]);
    for (const label of ["b1", "a3", "b2"]) end(label);
    expect(turns.count).toBe(0);
  });

  test("go round: one with many that wait delays another by one", () => {
    const { running, take, end } = open({ perOrigin: 10, total: 1 });
    for (let n = 1; n <= 5; n++) take("a", `a${n}`);
    take("b", "b1");
    const order = [];
    for (let label = running[0]; label !== undefined; label = running[0]) {
      order.push(label);
      end(label);
    }
    expect(order).toEqual(["a1", "a2", "b1", "a3", "a4", "a5"]);
  });

  test("are given up while waiting, and ended once", () => {
    const { turns, running, take, end } = open({ perOrigin: 1 });
    take("a", "a1");
    const stop = take("a", "a2");
    take("a", "a3");
    stop?.();
    stop?.();
    end("a1");
    expect(running).toEqual(["a3"]);
    end("a1");
    expect(turns.count).toBe(1);
    end("a3");
    expect(turns.count).toBe(0);
    expect(open({ perOrigin: 1, waitingMax: 0 }).take("a")).toBeFunction();
  });

  test("too many that wait are told so", () => {
    const { take } = open({ perOrigin: 1, waitingMax: 1 });
    expect(take("a")).toBeFunction();
    expect(take("a")).toBeFunction();
    expect(take("a")).toBeUndefined();
    expect(take("b")).toBeFunction();
  });
});
