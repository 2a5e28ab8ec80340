import { createFakeClock } from "@aldis/testkit";
import { sessionStoreContract } from "./session-store.contract.ts";
import { createMemorySessionStore } from "./session-store.ts";
import { LiveBook } from "./test/live-book.ts";

sessionStoreContract("memory", (options) => {
  const clock = createFakeClock();
  const live = new LiveBook();
  const store = createMemorySessionStore({ clock, live }, options);
  return { store, clock, live, marginMs: 1, advance: (ms) => clock.advance(ms) };
});
