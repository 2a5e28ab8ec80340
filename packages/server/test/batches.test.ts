import { describe, expect, test } from "bun:test";
import { eventually, openRawSocket, type RawFrame, startTestGateway } from "@aldis/testkit";

const TEXT = 1;
const channel = "chat:lobby";

/** Each WebSocket message as it came: an object or an array. */
type Message = RawFrame | RawFrame[];

async function open(how: "upgrade" | "connect" | "not at all") {
  const gateway = await startTestGateway();
  const token = await gateway.token();
  const query = {
    upgrade: `?token=${token}&batch=1`,
    connect: "",
    "not at all": `?token=${token}`,
  };
  const raw = await openRawSocket(gateway.gateway.port, `/ws${query[how]}`);
  if (how === "connect") raw.send("connect", { token, batch: true }, 0);
  const came = (): Message[] =>
    raw
      .frames()
      .filter(({ opcode }) => opcode === TEXT)
      .map(({ payload }) => JSON.parse(payload.toString()));
  const frames = () => came().flat();
  raw.send("subscribe", { channel }, 1);
  await eventually("subscribed", () => frames().some((frame) => frame.id === 1));
  /** Many in one read of the gateway, so that their pushes and replies leave in one turn. */
  async function publish(count: number): Promise<void> {
    const ids = Array.from({ length: count }, (_, n) => 100 + n);
    for (const id of ids) raw.send("publish", { channel, data: id }, id);
    await eventually("all", () => frames().some((frame) => frame.id === 99 + count));
  }
  const messages = () => frames().filter((frame) => frame.action === "message");
  return Object.assign(gateway, { came, messages, publish });
}

describe("protocol section 21: batches", () => {
  test.each(["upgrade", "connect"] as const)(
    "[BA1] who asks for them (%s) gets arrays, and single frames as they are",
    async (how) => {
      await using client = await open(how);
      await client.publish(200);
      const arrays = client.came().filter(Array.isArray);
      expect(arrays.length).toBeGreaterThan(0);
      expect(arrays.some((array) => array.length > 5)).toBe(true);
      for (const array of arrays) expect(array.length).toBeGreaterThan(1);
      const offsets = client.messages().map(({ data }) => data.offset);
      expect(offsets).toEqual(Array.from({ length: 200 }, (_, i) => i + 1));
    },
  );

  test("[BA1] who does not gets none", async () => {
    await using client = await open("not at all");
    await client.publish(200);
    expect(client.came().some(Array.isArray)).toBe(false);
    expect(client.messages().length).toBe(200);
  });
});
