import { expect, test } from "bun:test";
import { DeliveryProof } from "./delivery-proof.ts";

test("[SE5] nothing sent, nothing to prove", () => {
  expect(new DeliveryProof().nextAtMs(200)).toBeUndefined();
});

test("[SE5] what was sent may be proven at once, and only once at a time", () => {
  const proof = new DeliveryProof();
  proof.unproven = true;
  expect(proof.nextAtMs(200)).toBeLessThanOrEqual(0);
  proof.begin(1_000);
  expect(proof.nextAtMs(200)).toBeUndefined();
  proof.unproven = true;
  expect(proof.nextAtMs(200)).toBeUndefined();
});

test("[SE5] only the pong of the ping under way ends it, and once", () => {
  const proof = new DeliveryProof();
  const first = proof.begin(1_000);
  expect(proof.end("")).toBe(false);
  expect(proof.end(`${first} `)).toBe(false);
  expect(proof.end("p0")).toBe(false);
  expect(proof.end(first)).toBe(true);
  expect(proof.end(first)).toBe(false);
  const second = proof.begin(2_000);
  expect(second).not.toBe(first);
  expect(proof.end(first)).toBe(false);
  expect(proof.end(second)).toBe(true);
});

test("[SE5] no two proofs begin within the interval", () => {
  const proof = new DeliveryProof();
  proof.unproven = true;
  const ping = proof.begin(1_000);
  proof.unproven = true;
  proof.end(ping);
  expect(proof.nextAtMs(200)).toBe(1_200);
});

test("[SE5] a proof covers what was sent before it alone", () => {
  const proof = new DeliveryProof();
  proof.unproven = true;
  const ping = proof.begin(1_000);
  expect(proof.unproven).toBe(false);
  proof.unproven = true;
  proof.end(ping);
  expect(proof.unproven).toBe(true);
});
