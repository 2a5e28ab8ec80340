import { expect, test } from "bun:test";
import { settled } from "../test/support/fake-clock.ts";
import { Harness } from "../test/support/harness.ts";

function counting() {
  const state = { count: 0, fail: false };
  const token = async () => {
    state.count += 1;
    if (state.fail) throw new Error("the auth server is away");
    return `token-${state.count}`;
  };
  return { state, token };
}

test("[AU6] a refresh push brings a new token on the live connection", async () => {
  const { state, token } = counting();
  const h = new Harness({ token });
  const socket = await h.connected();
  socket.push("refresh", { expiresInMs: 30_000 });
  await settled();
  expect(socket.all("refresh").map((f) => f.data)).toEqual([{ token: "token-2" }]);
  socket.reply("refresh", { expiresAt: h.clock.nowMs() + 3_600_000 });
  await h.reconnected();
  expect(state.count).toBe(2);
  expect(h.socket.last("connect").data["token"]).toBe("token-2");
});

test("[AU9] who is asked again while a token is on its way brings one more after it, and no third", async () => {
  const { token } = counting();
  const h = new Harness({ token });
  const socket = await h.connected();
  const brought = () => socket.all("refresh").map((f) => f.data["token"]);
  for (const expiresInMs of [30_000, 5_000, 4_000]) socket.push("refresh", { expiresInMs });
  await settled();
  expect(brought()).toEqual(["token-2"]);
  socket.reply("refresh", {});
  await settled();
  expect(brought()).toEqual(["token-2", "token-3"]);
  socket.reply("refresh", {});
  await settled();
  expect(brought()).toEqual(["token-2", "token-3"]);
});

test("[AU6] failures are told and retried while the connection lasts", async () => {
  const { state, token } = counting();
  const h = new Harness({ token });
  const socket = await h.connected();
  const codes: string[] = [];
  h.client.on("error", (error) => codes.push(error.code));
  state.fail = true;
  socket.push("refresh", { expiresInMs: 30_000 });
  await settled();
  state.fail = false;
  await h.clock.advance(3_500);
  socket.refuse("refresh", "unauthorized");
  await h.clock.advance(3_500);
  socket.reply("refresh", {});
  expect(codes).toEqual(["token_failed", "unauthorized"]);
  expect(socket.all("refresh")).toHaveLength(2);
});

test("[AU7] a refresh that is under way when the connection ends is dropped", async () => {
  const { token } = counting();
  const h = new Harness({ token });
  const socket = await h.connected();
  socket.push("refresh", { expiresInMs: 30_000 });
  socket.end(4002);
  await h.clock.advance(250);
  await h.welcome();
  expect(socket.all("refresh")).toHaveLength(0);
  expect(h.socket.all("refresh")).toHaveLength(0);
});

test("a fixed token is not refreshed", async () => {
  const h = new Harness();
  const socket = await h.connected();
  socket.push("refresh", { expiresInMs: 30_000 });
  await settled();
  expect(socket.all("refresh")).toHaveLength(0);
});
