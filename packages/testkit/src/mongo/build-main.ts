// Run by the test runner before the tests that need it, so that none of them waits for Go.
import { existsSync } from "node:fs";
import { whyNoMongo } from "./mongo-place.ts";
import { buildStandIn, goProgram, standInPath } from "./stand-in.ts";

const reason = whyNoMongo();
if (reason !== undefined) process.stdout.write(`tests of MongoDB are skipped: ${reason}\n`);
else if (goProgram() !== undefined && !existsSync(standInPath())) {
  const startedAtMs = performance.now();
  await buildStandIn();
  const tookS = Math.round((performance.now() - startedAtMs) / 1_000);
  process.stdout.write(`built the stand-in for MongoDB in ${tookS} s\n`);
}
