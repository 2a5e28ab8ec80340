import { expect, test } from "bun:test";
import { Emitter } from "./emitter.ts";

test("a listener that throws is reported and stops nobody", () => {
  const reported: unknown[] = [];
  const heard: number[] = [];
  const emitter = new Emitter<{ n: number }>((error) => reported.push(error));
  const bug = new Error("bug of the application");
  emitter.on("n", () => {
    throw bug;
  });
  emitter.on("n", (n) => heard.push(n));
  emitter.emit("n", 1);
  expect(heard).toEqual([1]);
  expect(reported).toEqual([bug]);
});

test("a listener may remove itself and others while it runs", () => {
  const heard: string[] = [];
  const emitter = new Emitter<{ n: number }>(() => {});
  const off = emitter.on("n", () => {
    heard.push("a");
    off();
  });
  emitter.on("n", () => heard.push("b"));
  emitter.emit("n", 1);
  emitter.emit("n", 2);
  expect(heard).toEqual(["a", "b", "b"]);
});
