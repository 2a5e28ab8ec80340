import { expect, test } from "bun:test";
import { environmentOf } from "./environment.ts";

test("without any WebSocket it says what to pass", () => {
  const global = globalThis.WebSocket;
  Reflect.deleteProperty(globalThis, "WebSocket");
  try {
    expect(() => environmentOf({})).toThrow('(await import("ws")).WebSocket');
  } finally {
    globalThis.WebSocket = global;
  }
});

test("in a page it hears of the network and of being shown and hidden, until it stops", () => {
  const page = Object.assign(new EventTarget(), { visibilityState: "hidden" });
  Reflect.set(globalThis, "document", page);
  try {
    const { surroundings } = environmentOf({});
    expect(surroundings.isHidden()).toBe(true);
    let changes = 0;
    const stop = surroundings.watch(() => {
      changes += 1;
    });
    const tellAll = () => {
      globalThis.dispatchEvent(new Event("online"));
      globalThis.dispatchEvent(new Event("offline"));
      page.dispatchEvent(new Event("visibilitychange"));
    };
    tellAll();
    expect(changes).toBe(3);
    stop();
    tellAll();
    expect(changes).toBe(3);
  } finally {
    Reflect.deleteProperty(globalThis, "document");
  }
});

test("outside of a page it counts as online and looked at", () => {
  const { surroundings } = environmentOf({});
  expect(surroundings.isOnline()).toBe(true);
  expect(surroundings.isHidden()).toBe(false);
  surroundings.watch(() => {})();
});
