import { createSeededRandom } from "@aldis/testkit";
import { createRemoteBroker, selfDriven } from "../broker/broker.contract.ts";
import { sessionContract } from "./session.contract.ts";
import { openMemoryBroker } from "./test/world.ts";

sessionContract("in memory", openMemoryBroker);

for (const seed of [1, 2]) {
  const random = createSeededRandom(seed);
  sessionContract(`behind a line, seed ${seed}`, ({ clock, deliver }) => {
    const far = createRemoteBroker(
      (arrived) => openMemoryBroker({ clock, deliver: arrived }),
      deliver,
    );
    return selfDriven(far, random.between(0, 1_000_000));
  });
}
