import { expect, test } from "bun:test";
import { createSeededRandom, runFault } from "@aldis/testkit";

const ROUNDS = 40;

test("[P1] faults 18: sockets are cut all the time while messages flow: all in order at the end, nothing lost", async () => {
  const random = createSeededRandom(18);
  let cuts = 0;
  const report = await runFault({ subscribers: 40, publishers: 3 }, async (run) => {
    for (let round = 0; round < ROUNDS; round++) {
      await run.published(10);
      cuts += run.proxy.cutSome(0.05, random);
    }
  });
  expect(cuts).toBeGreaterThan(ROUNDS);
  expect(report.resumes.possible).toBeGreaterThan(cuts / 2);
  expect(report.resumes.recovered).toBe(report.resumes.possible);
});

test("[P1] faults 18: cut within a frame, again and again", async () => {
  const report = await runFault({ subscribers: 10 }, async (run) => {
    // The welcome of a resumed session fits, what it missed does not always: the next attempt goes on from there.
    for (const bytes of [3_001, 2_500, 4_097, 3_333]) {
      run.proxy.cutAfterBytes = bytes;
      run.proxy.cut();
      await run.published(60);
    }
    run.proxy.cutAfterBytes = Number.POSITIVE_INFINITY;
    run.proxy.cut();
  });
  expect(report.resumes.possible).toBeGreaterThan(40);
  expect(report.resumes.recovered).toBe(report.resumes.possible);
});
