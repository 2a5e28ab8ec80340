import { expect, test } from "bun:test";
import type { Reach } from "../reach.ts";
import { World } from "../test/world.ts";

test("[DM1] who sends is told how many nodes did not say", async () => {
  const world = new World();
  const ann = await world.connect();
  const reached = { connections: 2, missing: ["n1", "n2"] };
  const reach: Reach = { ...world.deps.reach, send: () => reached };
  Object.assign(world.deps, { reach });
  expect(await ann.must("send", { user: "bob", data: 1 })).toEqual({ delivered: 2, missing: 2 });
});
