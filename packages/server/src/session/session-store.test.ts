import { sessionStoreContract } from "./session-store.contract.ts";
import { createMemorySessionStore } from "./session-store.ts";

sessionStoreContract("memory", createMemorySessionStore);
