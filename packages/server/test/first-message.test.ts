import { expect, test } from "bun:test";
import { startTestGateway } from "@aldis/testkit";

test("[PB1] two users talk in a channel", async () => {
  await using gateway = await startTestGateway();
  const ann = await gateway.connect({ sub: "ann", name: "Ann" });
  const bob = await gateway.connect({ sub: "bob" });
  const joined = await ann.must("subscribe", { channel: "chat:lobby" });
  expect(joined).toMatchObject({ channel: "chat:lobby", recovered: false, offset: 0 });
  await bob.must("subscribe", { channel: "chat:lobby" });

  const answer = await bob.must("publish", {
    channel: "chat:lobby",
    event: "say",
    data: { text: "hi" },
  });
  expect(answer).toEqual({ channel: "chat:lobby", offset: 1, epoch: joined.epoch });
  const { data } = await ann.next("message");
  expect(data).toMatchObject({
    channel: "chat:lobby",
    offset: 1,
    event: "say",
    from: { user: "bob", connection: bob.welcome.connection },
    data: { text: "hi" },
  });

  expect(await gateway.publish("chat:lobby", [1, "two"])).toEqual({
    offset: 2,
    epoch: joined.epoch,
  });
  expect((await bob.next("message")).data.offset).toBe(1);
  expect((await bob.next("message")).data).toMatchObject({ offset: 2, data: [1, "two"] });
});

test("[SE5] a client without SDK is back in its channels with what it missed", async () => {
  await using gateway = await startTestGateway();
  const ann = await gateway.connect({ sub: "ann" });
  await ann.must("subscribe", { channel: "chat:lobby" });
  await gateway.publish("chat:lobby", 1);
  await ann.next("message");
  ann.cut();
  await gateway.publish("chat:lobby", 2);
  const { RawClient } = await import("@aldis/testkit");
  const again = await RawClient.connect(`${gateway.wsUrl}?session=${ann.welcome.session}`);
  expect(again.welcome).toMatchObject({ resumed: true, channels: ["chat:lobby"] });
  expect((await again.next("subscribe")).data).toMatchObject({ recovered: true });
  const seen = await again.wait((f) => f.action === "message" && f.data.data === 2);
  expect(seen.data.offset).toBe(2);
});
