import { describe, expect, test } from "bun:test";
import { eventually, openRawSocket, startTestGateway, type TestGateway, ws } from "@aldis/testkit";
import fc from "fast-check";

const ACTIONS = [
  "connect",
  "refresh",
  "subscribe",
  "unsubscribe",
  "publish",
  "history",
  "presence",
  "typing",
  "send",
  "ping",
];
const FIELDS = [
  "channel",
  "data",
  "event",
  "since",
  "last",
  "limit",
  "before",
  "after",
  "epoch",
  "cursor",
  "status",
  "typing",
  "user",
  "connection",
  "token",
  "session",
  "positions",
  "version",
  "echo",
  "idempotencyKey",
];

const odd = fc.oneof(
  fc.json().map((text) => JSON.parse(text) as unknown),
  fc.constantFrom<unknown>(
    0,
    -1,
    2 ** 53,
    1e308,
    "",
    "x".repeat(300),
    null,
    true,
    [],
    {},
    "chat:a",
  ),
  fc.constantFrom<unknown>("chat:*", "a*b", "\u0000", "\ud800", { offset: 0, epoch: "e" }),
  fc.string({ unit: "binary" }),
);
const body = fc.dictionary(fc.constantFrom(...FIELDS), odd, { maxKeys: 6 });
const command = fc
  .record(
    {
      action: fc.oneof(
        { weight: 9, arbitrary: fc.constantFrom(...ACTIONS) },
        { weight: 1, arbitrary: odd },
      ),
      id: odd,
      data: fc.oneof({ weight: 9, arbitrary: body }, { weight: 1, arbitrary: odd }),
    },
    { requiredKeys: ["action"] },
  )
  .map((value) => ws.frame(ws.OPCODE.text, JSON.stringify(value)));
/** Text, bytes, control frames, fragments; lengths and flags that may be lies. */
const wild = fc
  .record({
    opcode: fc.integer({ min: 0, max: 15 }),
    payload: fc.oneof(
      fc.uint8Array({ maxLength: 200 }),
      fc.string().map((text) => Buffer.from(text)),
    ),
    fin: fc.boolean(),
    reserved: fc.constantFrom(0, 0, 0, 1, 2, 4),
    masked: fc.constantFrom(true, true, true, true, false),
    declaredLength: fc.option(fc.nat(70_000), { nil: undefined, freq: 8 }),
  })
  .map(({ opcode, payload, declaredLength, ...flags }) =>
    ws.frame(opcode, payload, {
      ...flags,
      ...(declaredLength !== undefined && { declaredLength }),
    }),
  );

/** Sends to a connection of its own what it is given, and looks whether the others are well. */
async function attack(gateway: TestGateway, bytes: readonly Uint8Array[], path: string) {
  const raw = await openRawSocket(gateway.gateway.port, path);
  raw.write(Buffer.concat(bytes));
  raw.send("ping", {}, "end");
  // A frame that declared more than it brought swallows the ping: then any sign that it was read has to do.
  await eventually("an answer or an end", () => raw.ended || raw.frames().length > 0);
  raw.cut();
}

describe("[P3] arbitrary input over the socket kills neither the gateway nor another connection", () => {
  const seed = Number(Bun.env["ALDIS_TEST_SEED"] ?? Math.floor(Math.random() * 2 ** 31));

  async function survives(frames: fc.Arbitrary<Buffer[]>, numRuns: number): Promise<void> {
    // Who is not in and says nothing that can be read is closed soon, so that a run is short.
    await using gateway = await startTestGateway({ config: { auth: { timeoutMs: 100 } } });
    const bystander = await gateway.connect({ sub: "bystander" });
    await bystander.must("subscribe", { channel: "bystanders:x" });
    const paths = [`/ws?token=${await gateway.token({ tenant: "other" })}`, "/ws"];
    let published = 0;
    await fc.assert(
      fc.asyncProperty(frames, fc.constantFrom(...paths), async (bytes, path) => {
        await attack(gateway, bytes, path);
        await bystander.must("publish", { channel: "bystanders:x", data: ++published });
        expect((await bystander.next("message")).data.data).toBe(published);
        expect(gateway.gateway.counters.faults).toBe(0);
      }),
      { numRuns, seed, endOnFailure: true },
    );
    bystander.frames.length = 0;
    await bystander.settle();
    expect(bystander.frames).toBeEmpty();
    expect(({} as Record<string, unknown>)["polluted"]).toBeUndefined();
  }

  test(`commands of every shape (seed ${seed})`, () =>
    survives(fc.array(command, { minLength: 1, maxLength: 12 }), 300));

  test(`frames of every shape (seed ${seed})`, () =>
    survives(fc.array(fc.oneof(command, wild), { minLength: 1, maxLength: 8 }), 300));

  test(`bytes of every value (seed ${seed})`, () =>
    survives(
      fc.array(
        fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
        { maxLength: 3 },
      ),
      150,
    ));
});
