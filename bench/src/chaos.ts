/**
 * `bun run chaos --seed N --minutes M`: three gateways over a real Redis, clients and publishers, and random faults, judged by the checker of
 * all fault runs. Prints its seed, what it does, and what was counted; ends with 1 when something was lost, doubled or not told.
 */
import { parseArgs } from "node:util";
import { hasRedis, runChaos } from "@aldis/testkit";

const { values } = parseArgs({
  options: {
    seed: { type: "string" },
    minutes: { type: "string", default: "1" },
    subscribers: { type: "string", default: "30" },
    publishers: { type: "string", default: "6" },
  },
});

const seed = Number(values.seed ?? Math.floor(Math.random() * 2 ** 31));
if (!hasRedis()) {
  console.error("redis-server is missing; install it to run this");
  process.exit(2);
}
console.log(`seed ${seed}, ${values.minutes} min`);
try {
  const { counts, resumes, refused, during } = await runChaos({
    seed,
    forMs: Number(values.minutes) * 60_000,
    subscribers: Number(values.subscribers),
    publishers: Number(values.publishers),
    tell: (line) => console.log(line),
  });
  console.log(
    JSON.stringify({ counts, resumes, refused: refused.length, bystander: during }, null, 2),
  );
} catch (error) {
  console.error(String(error));
  process.exit(1);
}
process.exit(0);
