import { describe, expect, test } from "bun:test";
import { startTestGateway } from "@aldis/testkit";

const BYTES = Buffer.from([0, 1, 2, 253, 254, 255]);
const base64 = BYTES.toString("base64");
const channel = "chat:files";
const KEEP = { history: { size: 10, ttlMs: 60_000 } };

describe("[PB7] bytes as payload", () => {
  test("[CH2] stand as `base64` in pushes, recoveries and history", async () => {
    await using gateway = await startTestGateway({ config: { namespaces: { chat: KEEP } } });
    const bob = await gateway.connect({ sub: "bob" });
    await bob.must("subscribe", { channel });
    const ann = await gateway.connect();
    const { offset, epoch } = await ann.must("publish", { channel, event: "file", base64 });
    const { data: pushed } = await bob.next("message");
    expect(pushed).toMatchObject({ channel, offset, event: "file", base64 });
    expect(pushed).not.toHaveProperty("data");
    const { publications } = await ann.must("history", { channel });
    expect(publications).toEqual([pushed]);
    const since = { offset: 0, epoch };
    const recovered = await ann.must("subscribe", { channel, since });
    expect(recovered).toMatchObject({ recovered: true, publications: [pushed] });
  });

  test("over HTTP and as direct message", async () => {
    await using gateway = await startTestGateway();
    const ann = await gateway.connect();
    await ann.must("subscribe", { channel });
    const { status } = await gateway.call("POST", "/api/publish", { channel, base64 });
    expect(status).toBe(200);
    expect((await ann.next("message")).data).toMatchObject({ base64 });
    expect(await ann.must("send", { user: "ann", base64 })).toEqual({ delivered: 1 });
    const { data: direct } = await ann.next("message");
    expect(direct).toMatchObject({ direct: "user", base64 });
    expect(direct).not.toHaveProperty("data");
  });

  test("are refused unless they are given once, and as an encoder makes them", async () => {
    await using gateway = await startTestGateway();
    const ann = await gateway.connect();
    for (const body of [{ base64: "A" }, { base64, data: 1 }, { base64: 7 }, {}]) {
      expect(await ann.refused("publish", { channel, ...body })).toMatchObject({
        code: "bad_request",
      });
      expect(await ann.refused("send", { user: "ann", ...body })).toMatchObject({
        code: "bad_request",
      });
      const { status } = await gateway.call("POST", "/api/publish", { channel, ...body });
      expect(status).toBe(400);
    }
  });

  test("[PB5] count as the bytes that they are", async () => {
    const chat = { messageMaxBytes: 9 };
    await using gateway = await startTestGateway({ config: { namespaces: { chat } } });
    const ann = await gateway.connect();
    const ofLength = (n: number) => ({ channel, base64: Buffer.alloc(n).toString("base64") });
    await ann.must("publish", ofLength(9));
    expect(await ann.refused("publish", ofLength(10))).toMatchObject({ code: "too_large" });
    await ann.must("publish", { channel, data: "1234567" });
    expect(await ann.refused("publish", { channel, data: "12345678" })).toMatchObject({
      code: "too_large",
    });
  });
});
