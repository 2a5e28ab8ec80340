import { expect, test } from "bun:test";
import { CLOSE } from "@aldis/protocol";
import { settled } from "../test/support/fake-clock.ts";
import { Harness } from "../test/support/harness.ts";
import { AldisError } from "./errors.ts";

/** The wait that the state tells, milliseconds from now. */
function waitOf(h: Harness): number {
  const { state } = h.client;
  if (state.name !== "waiting" || state.nextAttemptAt === null) throw new Error(state.name);
  return state.nextAttemptAt - h.clock.nowMs();
}

test("[CL1] waits grow to the cap with full jitter while attempts fail", async () => {
  const h = new Harness();
  h.client.connect();
  const waits: number[] = [];
  for (let i = 0; i < 8; i++) {
    await settled();
    h.socket.end();
    waits.push(waitOf(h));
    await h.clock.advance(waitOf(h));
  }
  expect(waits).toEqual([250, 500, 1_000, 2_000, 4_000, 8_000, 10_000, 10_000]);
});

test("the backoff starts anew only after a connection that held", async () => {
  const h = new Harness();
  await h.connected();
  for (const expected of [250, 500, 1_000]) {
    h.socket.end();
    expect(waitOf(h)).toBe(expected);
    await h.clock.advance(expected);
    await h.welcome();
  }
  await h.clock.advance(10_000);
  h.socket.end();
  expect(waitOf(h)).toBe(250);
});

test("an attempt that hangs is given up", async () => {
  const h = new Harness();
  h.client.connect();
  await settled();
  const [hanging] = h.sockets;
  await h.clock.advance(10_000);
  expect(hanging?.closedWith).toBe(4000);
  expect(h.client.state).toMatchObject({ name: "waiting", cause: { code: "timeout" } });
});

test("[CL1] the table's codes that forbid it do not come back, and say why", async () => {
  const codes = [CLOSE.protocolError, CLOSE.sessionTaken, CLOSE.disconnected];
  for (const { code, reason } of codes) {
    const h = new Harness();
    await h.connected();
    h.socket.end(code, reason);
    await h.clock.advance(120_000);
    expect(h.sockets).toHaveLength(1);
    expect(h.client.state).toMatchObject({
      name: "closed",
      cause: { code: "closed", closeCode: code, message: reason },
    });
  }
});

test("[CL1] with a fixed token 4002 closes for good", async () => {
  const h = new Harness();
  h.client.connect();
  await settled();
  h.socket.accept();
  h.socket.end(4002, "token refused or expired");
  expect(h.client.state).toMatchObject({ name: "closed", cause: { code: "unauthorized" } });
  expect(await h.client.ready().catch((e) => e)).toMatchObject({ closeCode: 4002 });
});

test("[CL1] with a token function 4001 and 4002 fetch a fresh token, once for each, with backoff", async () => {
  let count = 0;
  const h = new Harness({ token: async () => `token-${++count}` });
  h.client.connect();
  for (const code of [4001, 4002, 4002]) {
    await settled();
    h.socket.accept();
    h.socket.end(code);
    await h.clock.advance(waitOf(h));
  }
  expect(count).toBe(4);
  const socket = await h.welcome();
  expect(socket.last("connect").data).toEqual({ token: "token-4", positions: {} });
});

test("[CL1] never connects again with a token that was refused", async () => {
  const h = new Harness({ token: () => "the same" });
  h.client.connect();
  await settled();
  h.socket.accept();
  h.socket.end(4002);
  await h.clock.advance(60_000);
  expect(h.sockets).toHaveLength(1);
  expect(h.client.state).toMatchObject({ name: "waiting", cause: { code: "unauthorized" } });
});

test("a token that still holds is not fetched again", async () => {
  let count = 0;
  const h = new Harness({ token: async () => `token-${++count}` });
  await h.connected({ expiresAt: h.clock.nowMs() + 60_000 });
  await h.reconnected({ expiresAt: h.clock.nowMs() + 60_000 });
  expect(count).toBe(1);
  expect(h.socket.last("connect").data["token"]).toBe("token-1");
});

test("a token that ended is not used", async () => {
  let count = 0;
  const h = new Harness({ token: async () => `token-${++count}` });
  await h.connected({ expiresAt: h.clock.nowMs() + 60_000 });
  h.clock.sleep(56_000);
  const socket = await h.reconnected();
  expect(socket.last("connect").data["token"]).toBe("token-2");
});

test("a token function that fails is retried; one that says no for good closes", async () => {
  let error: Error = new Error("the auth server is away");
  const h = new Harness({ token: () => Promise.reject(error) });
  h.client.connect();
  await settled();
  expect(h.client.state).toMatchObject({ name: "waiting", cause: { code: "token_failed" } });
  expect(h.sockets).toHaveLength(0);
  error = new AldisError("unauthorized", "signed out");
  await h.clock.advance(waitOf(h));
  expect(h.client.state).toEqual({ name: "closed", cause: error as AldisError });
});

test("a token function that hangs is given up, and told so", async () => {
  const signals: AbortSignal[] = [];
  const h = new Harness({
    token: ({ signal }) => {
      signals.push(signal);
      return new Promise(() => {});
    },
  });
  h.client.connect();
  await h.clock.advance(10_000);
  expect(h.client.state).toMatchObject({ name: "waiting", cause: { code: "timeout" } });
  expect(signals[0]?.aborted).toBe(true);
});

test("offline stops the attempts; online brings the next at once, with a small jitter", async () => {
  const h = new Harness();
  await h.connected();
  h.surroundings.set({ online: false });
  h.socket.end();
  expect(h.client.state).toMatchObject({ name: "waiting", nextAttemptAt: null });
  await h.clock.advance(600_000);
  expect(h.sockets).toHaveLength(1);
  h.surroundings.set({ online: true });
  expect(waitOf(h)).toBe(250);
  await h.clock.advance(250);
  expect(h.sockets).toHaveLength(2);
});

test("going offline while waiting takes the promise of an attempt back", async () => {
  const h = new Harness();
  await h.connected();
  h.socket.end();
  expect(waitOf(h)).toBe(250);
  h.surroundings.set({ online: false });
  expect(h.client.state).toMatchObject({ name: "waiting", nextAttemptAt: null });
  await h.clock.advance(60_000);
  expect(h.sockets).toHaveLength(1);
});

test("a gateway on the same machine needs no network", async () => {
  const h = new Harness({ url: "http://localhost:8965/ws" });
  await h.connected();
  expect(h.socket.url).toBe("ws://localhost:8965/ws");
  h.surroundings.set({ online: false });
  h.socket.end();
  expect(waitOf(h)).toBe(250);
});

test("a hidden page slows down, and comes back promptly when shown", async () => {
  const h = new Harness();
  h.client.connect();
  h.surroundings.set({ hidden: true });
  for (let i = 0; i < 4; i++) {
    await settled();
    h.socket.end();
    if (i < 3) await h.clock.advance(waitOf(h));
  }
  expect(waitOf(h)).toBe(10_000);
  h.surroundings.set({ hidden: false });
  expect(waitOf(h)).toBe(250);
});

test("a page that is shown again checks its connection", async () => {
  const h = new Harness();
  const socket = await h.connected();
  h.surroundings.set({ hidden: true });
  expect(socket.all("ping")).toHaveLength(0);
  h.surroundings.set({ hidden: false });
  expect(socket.all("ping")).toHaveLength(1);
  await h.clock.advance(5_000);
  expect(h.client.state.name).toBe("waiting");
  expect(socket.closedWith).toBe(4000);
});

test("a half-open connection is noticed and replaced", async () => {
  const h = new Harness();
  await h.connected();
  await h.clock.advance(30_000 + 5_000);
  expect(h.client.state).toMatchObject({ name: "waiting", cause: { code: "timeout" } });
  await h.clock.advance(waitOf(h));
  expect(h.sockets).toHaveLength(2);
});

test("[SE8] what an abandoned socket still says is ignored, and its session is kept", async () => {
  const h = new Harness();
  const old = await h.connected();
  await h.clock.advance(35_000 + 250);
  await h.welcome({ connection: "c2" });
  old.push("error", { code: "internal", message: "late", temporary: true });
  old.end(4501);
  expect(h.client.state).toMatchObject({ name: "connected", connection: "c2" });
  expect(h.socket.last("connect").data["session"]).toBe("s1.secret");
});

test("a reconnect push is obeyed at its time, without a break before it", async () => {
  const h = new Harness();
  const socket = await h.connected();
  socket.push("reconnect", { afterMs: 3_000 });
  await h.clock.advance(2_999);
  expect(h.client.state.name).toBe("connected");
  await h.clock.advance(1);
  expect(socket.closedWith).toBe(4000);
  expect(h.sockets).toHaveLength(2);
});

test("[DR2] a client that moved and is refused keeps trying, with jitter", async () => {
  const h = new Harness();
  const socket = await h.connected();
  socket.push("reconnect", { afterMs: 3_000 });
  await h.clock.advance(3_000);
  for (let attempt = 1; attempt <= 20; attempt++) {
    await settled();
    expect(h.sockets).toHaveLength(attempt + 1);
    // A 503 to the upgrade: a browser tells no more than that it did not work.
    h.socket.end(1006);
    expect(h.client.state.name).toBe("waiting");
    await h.clock.advance(waitOf(h));
  }
  await h.welcome({ connection: "c2" });
  expect(h.client.state).toMatchObject({ name: "connected", connection: "c2" });
});

test("a gateway that stops before the time it gave is not stormed", async () => {
  const h = new Harness();
  const socket = await h.connected();
  socket.push("reconnect", { afterMs: 3_000 });
  await h.clock.advance(1_000);
  socket.end(4012);
  expect(waitOf(h)).toBe(2_000 + 250);
  h.surroundings.set({ hidden: false });
  expect(waitOf(h)).toBe(2_000 + 250);
});

test("[ER1] retryAfterMs of a refused connection is waited out", async () => {
  const h = new Harness();
  h.client.connect();
  await settled();
  h.socket.accept();
  h.socket.push("error", {
    code: "unavailable",
    message: "full",
    temporary: true,
    retryAfterMs: 9_000,
  });
  h.socket.end(4012);
  expect(h.client.state).toMatchObject({ cause: { code: "unavailable", message: "full" } });
  expect(waitOf(h)).toBe(9_250);
});

test("[SE8] close ends the session, all timers and all listeners on the page", async () => {
  const h = new Harness();
  const socket = await h.connected();
  h.client.close();
  expect(socket.closedWith).toBe(1000);
  expect(h.client.state).toMatchObject({ name: "closed", cause: { code: "closed" } });
  expect(h.clock.pending).toBe(0);
  expect(h.surroundings.watchers).toBe(0);
  const again = await h.connected();
  expect(again.last("connect").data).toEqual({ token: "token-1", positions: {} });
});

test("close in each phase of an attempt leaves nothing behind", async () => {
  const h = new Harness();
  h.client.connect();
  h.client.close();
  h.client.connect();
  await settled();
  h.client.close();
  expect(h.socket.closedWith).toBe(1000);
  h.client.connect();
  await settled();
  h.socket.end();
  h.client.close();
  await h.clock.advance(60_000);
  expect(h.clock.pending).toBe(0);
  expect(h.client.state.name).toBe("closed");
});

test("an address that is none closes with a reason", async () => {
  class Picky {
    constructor() {
      throw new SyntaxError("bad address");
    }
  }
  const h = new Harness({ WebSocket: Picky as never, url: "not an address" });
  h.client.connect();
  await settled();
  expect(h.client.state).toMatchObject({ name: "closed", cause: { code: "bad_request" } });
});

test("ready can be given up", async () => {
  const h = new Harness();
  h.client.connect();
  const abort = new AbortController();
  const ready = h.client.ready({ signal: abort.signal });
  abort.abort(new Error("enough"));
  expect(await ready.catch((e) => e.message)).toBe("enough");
  expect(await h.client.ready({ signal: AbortSignal.abort("before") }).catch((e) => e)).toBe(
    "before",
  );
});

test("listeners that throw do not break the client", async () => {
  const h = new Harness();
  h.client.on("state", () => {
    throw new Error("bug");
  });
  await h.connected();
  expect(h.client.state.name).toBe("connected");
  expect(h.errors).toHaveLength(2);
});

test.each([
  ["[LI4] 4009 before the welcome", CLOSE.tooManyConnections.code, "limit_reached"],
  ["[LI8] 4010 on an open connection", CLOSE.tooManyRefused.code, "rate_limited"],
] as const)("%s waits at least as long as was told before", async (_, closeCode, code) => {
  const h = new Harness();
  if (closeCode === CLOSE.tooManyRefused.code) await h.connected();
  else {
    h.client.connect();
    await settled();
    h.socket.accept();
  }
  h.socket.push("error", { code, message: "too many", temporary: false, retryAfterMs: 30_000 });
  h.socket.end(closeCode);
  expect(waitOf(h)).toBe(30_250);
  expect(h.client.state).toMatchObject({ name: "waiting", cause: { code, closeCode } });
});

test("an error of long ago says nothing about why a connection broke", async () => {
  const h = new Harness();
  await h.connected();
  h.socket.push("error", {
    code: "rate_limited",
    message: "",
    temporary: true,
    retryAfterMs: 30_000,
  });
  h.socket.end(1006);
  expect(waitOf(h)).toBe(250);
  expect(h.client.state).toMatchObject({ cause: { code: "disconnected" } });
});
