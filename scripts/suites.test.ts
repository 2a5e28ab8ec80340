import { expect, test } from "bun:test";
import { isTestFile, sortTestFiles, suiteOf } from "./suites.ts";

test.each([
  ["packages/server/src/hub/hub.test.ts", "unit"],
  ["scripts/junit.test.ts", "unit"],
  ["packages/server/test/subscribe.test.ts", "integration"],
  ["packages/server/test/src/odd.test.ts", "integration"],
  ["packages/server/test/cluster/nodes.test.ts", "cluster"],
  ["packages/server/src/redis/shards.redis.test.ts", "cluster"],
  ["packages/server/src/store/postgres/faults.postgres.test.ts", "cluster"],
  ["packages/server/src/store/mongodb/mongo-store.mongo.test.ts", "cluster"],
  ["e2e/live.test.ts", "e2e"],
  ["bench/src/smoke.test.ts", "bench"],
  ["packages/server/hub.test.ts", undefined],
  ["examples/chat/chat.test.ts", undefined],
] as const)("%s is in suite %p", (path, suite) => {
  expect(suiteOf(path)).toBe(suite);
});

test("a test file is what `bun test` would run by itself", () => {
  for (const name of ["a.test.ts", "a.test.tsx", "a_test.js", "a.spec.mts"]) {
    expect(isTestFile(`packages/x/src/${name}`)).toBe(true);
  }
  for (const name of ["test.ts", "a.contract.ts", "a.test.md", "latest.ts"]) {
    expect(isTestFile(`packages/x/src/${name}`)).toBe(false);
  }
});

test("every test file is in one suite, or told apart as a stray", () => {
  const sorted = sortTestFiles(["e2e/a.test.ts", "packages/x/a.test.ts", "packages/x/src/a.ts"]);
  expect(sorted.bySuite).toEqual({
    unit: [],
    integration: [],
    cluster: [],
    e2e: ["e2e/a.test.ts"],
    bench: [],
  });
  expect(sorted.strays).toEqual(["packages/x/a.test.ts"]);
});
