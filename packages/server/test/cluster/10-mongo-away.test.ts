import { describe, expect, test } from "bun:test";
import { eventually, startMongo, startTestGateway, whyNoStandIn } from "@aldis/testkit";

const reason = whyNoStandIn();
const room = "lobby";

describe.skipIf(reason !== undefined)(reason ?? "a gateway whose MongoDB is away", () => {
  test("P4, P5: faults 10: connections stay, live traffic goes on, chat is unavailable for a while, readiness tells, and all heals", async () => {
    await using mongo = await startMongo();
    const store = { url: mongo.createDatabase(), timeoutMs: 500 };
    await using gateway = await startTestGateway({ config: { store } });
    const [ann, ben] = [
      await gateway.connect({ sub: "ann" }),
      await gateway.connect({ sub: "ben" }),
    ];
    const said: string[] = [];
    const say = async (text: string) => {
      await ann.must("chat", { room, text, idempotencyKey: text });
      said.push(text);
    };
    for (let n = 0; n < 5; n++) await say(`before ${n}`);
    for (const away of ["stopped", "frozen"] as const) {
      if (away === "stopped") await mongo.kill();
      else await mongo.pause();
      const ask = { room, text: `while ${away}`, idempotencyKey: away };
      expect(await ann.refused("chat", ask)).toMatchObject({
        code: "unavailable",
        temporary: true,
      });
      expect(await ben.refused("chat_history", { room })).toMatchObject({ code: "unavailable" });
      await eventually("the gateway not to be ready", () => !gateway.gateway.ready);
      await ben.must("subscribe", { channel: `news:${away}` });
      await ann.must("publish", { channel: `news:${away}`, data: 1 });
      await ben.next("message");
      if (away === "stopped") await mongo.start();
      else mongo.resume();
      await eventually("the gateway to be ready", () => gateway.gateway.ready);
      // What was refused is said again: once, whatever had become of it.
      await ann.must("chat", ask);
      said.push(ask.text);
      await say(`after ${away}`);
    }
    const { messages } = await ben.must("chat_history", { room });
    expect(messages.map(({ seq, text }: { seq: number; text: string }) => [seq, text])).toEqual(
      said.map((text, place) => [place + 1, text]),
    );
  });

  test("two nodes say things in one room: each gets a number of its own, and both tell the same", async () => {
    await using mongo = await startMongo();
    const config = { store: { url: mongo.createDatabase() } };
    await using first = await startTestGateway({ config });
    await using second = await startTestGateway({ config });
    const [ann, ben] = [await first.connect({ sub: "ann" }), await second.connect({ sub: "ben" })];
    const sent = await Promise.all(
      Array.from({ length: 40 }, (_, n) =>
        (n % 2 === 0 ? ann : ben).must("chat", { room, text: `${n}`, idempotencyKey: `${n}` }),
      ),
    );
    const numbers = sent.map(({ seq }) => seq).sort((a, b) => a - b);
    expect(numbers).toEqual(Array.from({ length: 40 }, (_, n) => n + 1));
    const histories = await Promise.all(
      [ann, ben].map((one) => one.must("chat_history", { room })),
    );
    expect(histories[0]).toEqual(histories[1]);
  });
});
