import { expect, test } from "bun:test";
import { AldisError, networkFailure } from "../errors.ts";
import { type RetryPolicy, withRetries } from "./retry.ts";

const POLICY: RetryPolicy = {
  retries: 3,
  timeoutMs: 10_000,
  deadlineMs: 30_000,
  repeatable: true,
  signal: undefined,
};

function clock(random = 0.5) {
  const waits: number[] = [];
  let nowMs = 0;
  return {
    waits,
    nowMs: () => nowMs,
    random: () => random,
    async wait(ms: number) {
      waits.push(ms);
      nowMs += ms;
    },
  };
}

const busy = (retryAfterMs?: number) =>
  new AldisError("unavailable", "", { temporary: true, retryAfterMs, effect: "unknown" });

async function failing(policy: Partial<RetryPolicy>, error: unknown, deps = clock()) {
  let tried = 0;
  const failure = await withRetries(deps, { ...POLICY, ...policy }, async () => {
    tried++;
    throw error;
  }).catch((thrown: unknown) => thrown);
  return { tried, failure, waits: deps.waits };
}

test("pauses grow, with jitter, up to so many retries", async () => {
  expect(await failing({}, busy())).toMatchObject({ tried: 4, waits: [100, 200, 400] });
  expect((await failing({ retries: 9, deadlineMs: 1e9 }, busy())).waits.slice(-3)).toEqual([
    2_500, 2_500, 2_500,
  ]);
});

test("what the gateway asks to wait is waited for, and more", async () => {
  expect((await failing({ retries: 1 }, busy(7_000))).waits).toEqual([7_100]);
});

test("a pause that would pass the deadline is not begun", async () => {
  expect(await failing({ deadlineMs: 5_000 }, busy(6_000))).toMatchObject({ tried: 1, waits: [] });
});

test("only temporary failures, and of what cannot be repeated only those without effect", async () => {
  expect((await failing({}, new AldisError("forbidden", ""))).tried).toBe(1);
  expect((await failing({}, new TypeError("a bug"))).tried).toBe(1);
  expect((await failing({ repeatable: false }, busy())).tried).toBe(1);
  const rate = new AldisError("rate_limited", "", { temporary: true });
  expect((await failing({ repeatable: false }, rate)).tried).toBe(4);
  const refused = Object.assign(new Error(), { cause: { code: "ECONNREFUSED" } });
  expect((await failing({ repeatable: false }, networkFailure(refused, "http://a"))).tried).toBe(4);
  const inDeno = new Error("error sending request for url (http://a/): client error (Connect): no");
  const unsent = networkFailure(new TypeError("fetch failed", { cause: inDeno }), "http://a");
  expect((await failing({ repeatable: false }, unsent)).tried).toBe(4);
  const reset = Object.assign(new Error(), { code: "ECONNRESET" });
  expect((await failing({ repeatable: false }, networkFailure(reset, "http://a"))).tried).toBe(1);
});

test("who aborts hears the reason, in an attempt and in a pause", async () => {
  const reason = new Error("enough");
  const before = new AbortController();
  before.abort(reason);
  expect(await failing({ signal: before.signal }, busy())).toMatchObject({ tried: 0 });
  const during = new AbortController();
  const deps = { ...clock(), wait: async () => during.abort(reason) };
  expect(await failing({ signal: during.signal }, busy(), deps as never)).toMatchObject({
    tried: 1,
    failure: reason,
  });
});

test("an attempt that takes too long is ended", async () => {
  const hang = (signal: AbortSignal) =>
    new Promise<never>((_, reject) => {
      signal.addEventListener("abort", () => reject(signal.reason));
    });
  const policy = { ...POLICY, timeoutMs: 1, retries: 0 };
  const failure = await withRetries(clock(), policy, hang).catch((error: unknown) => error);
  expect(failure).toMatchObject({ code: "timeout", temporary: true, effect: "unknown" });
});
