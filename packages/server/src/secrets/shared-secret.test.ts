import { expect, test } from "bun:test";
import { BrokerUnavailable } from "../broker-unavailable.ts";
import { createOwnSecret, derivedKeys, madeOfKeys } from "./shared-secret.ts";

test("each purpose has a key of its own, the same each time", () => {
  const secret = createOwnSecret(new Uint8Array(32).fill(5));
  const [sessions] = secret.keysFor("sessions")();
  const [cursors] = secret.keysFor("cursors")();
  expect(sessions.length).toBe(32);
  expect(sessions).not.toEqual(cursors);
  expect(sessions).not.toEqual(new Uint8Array(32).fill(5));
  expect(createOwnSecret(new Uint8Array(32).fill(5)).keysFor("sessions")()[0]).toEqual(sessions);
  expect(createOwnSecret().keysFor("sessions")()[0]).not.toEqual(sessions);
});

test("P5: while no secret is known there is no key, and that is temporary", () => {
  let ring: readonly Uint8Array[] | undefined;
  const keys = derivedKeys("sessions", () => ring);
  const made = madeOfKeys(keys, (key) => key.length);
  expect(() => made()).toThrow(BrokerUnavailable);
  ring = [new Uint8Array(32)];
  expect(made()).toEqual([32]);
  ring = [new Uint8Array(32).fill(1), ...ring];
  expect(made()).toEqual([32, 32]);
  expect(keys()).toBe(keys());
});
