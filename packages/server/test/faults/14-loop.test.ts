import { describe, expect, test } from "bun:test";
import { eventually, type RawClient, runFault, startGatewayProcess } from "@aldis/testkit";

const FRAME_MAX = 64 * 1024;
const ROUNDS = 12;
const COMMANDS = 16;

const filled = (unit: string, wrap: (body: string) => string, room = FRAME_MAX - 200) =>
  wrap(unit.repeat(Math.floor(room / unit.length)));
const publish = (data: string) =>
  `{"action":"publish","id":1,"data":{"channel":"nasty:x","data":${data}}}`;

/** As large and as laborious as a legal frame may be. */
const NASTY: Record<string, string> = {
  "brackets that open and never close": `{"action":"publish","data":${"[".repeat(FRAME_MAX - 100)}`,
  "brackets, deeper than may be": publish(`${"[".repeat(32_000)}${"]".repeat(32_000)}`),
  "the deepest that may be, again and again": publish(
    filled(`${"[".repeat(120)}${"]".repeat(120)},`, (body) => `[${body}0]`),
  ),
  "one object with ten thousand keys": publish(
    `{${Array.from({ length: 6_000 }, (_, n) => `"k${n}":1`).join(",")}}`,
  ),
  "the same key ten thousand times": publish(filled('"k":1,', (body) => `{${body}"k":2}`)),
  "numbers that no double holds": publish(filled("1e999,", (body) => `[${body}0]`)),
  "a number of sixty thousand digits": publish("9".repeat(60_000)),
  "escapes alone": publish(filled("\\u0000", (body) => `"${body}"`)),
  "quotes that are escaped": publish(filled("\\\\", (body) => `"${body}"`)),
  "a name that would be slow to match": `{"action":"subscribe","data":{"channel":"${"a:".repeat(30_000)}!"}}`,
  "a pattern of stars": `{"action":"subscribe","data":{"channel":"x:${"a*".repeat(30_000)}"}}`,
  "a token of dots": `{"action":"refresh","data":{"token":"${".".repeat(60_000)}"}}`,
  "five hundred positions": `{"action":"connect","data":{"positions":{${Array.from({ length: 512 }, (_, n) => `"c${n}":{"offset":${n},"epoch":"e"}`).join(",")}}}}`,
};

describe("faults 14: no client's input keeps the loop busy", () => {
  test("[P3] the largest and most laborious frames: the bystander is answered between any two", async () => {
    const report = await runFault(
      { pauseMs: 2, subscribers: 3 },
      async ({ gateway, bystander }) => {
        const attackers = await Promise.all(
          Object.keys(NASTY).map((sub) => gateway.connect({ sub: sub.slice(0, 20) })),
        );
        const frames = Object.values(NASTY);
        const attack = (attacker: RawClient, nasty = "") => {
          for (let i = 0; i < COMMANDS; i++) attacker.socket.send(nasty);
        };
        for (let round = 0; round < ROUNDS; round++) {
          for (const [n, attacker] of attackers.entries()) attack(attacker, frames[n]);
          const { answers } = bystander;
          await eventually("the bystander's answer", () => bystander.answers > answers);
        }
        for (const attacker of attackers) attacker.cut();
      },
    );
    expect(report.after.counters.faults).toBe(0);
  });

  test("a loop that is blocked shows in what is measured", async () => {
    await using gateway = await startGatewayProcess();
    await gateway.sample();
    await gateway.block(400);
    await eventually("the delay", async () => (await gateway.sample()).loopDelayMs > 300);
  });
});
