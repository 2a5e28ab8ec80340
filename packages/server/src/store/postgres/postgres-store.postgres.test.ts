import { afterAll } from "bun:test";
import { storeContract } from "../store.contract.ts";
import { postgresTests } from "./test/fresh-postgres.ts";

const tests = postgresTests();
afterAll(() => tests[Symbol.asyncDispose]());

storeContract("PostgreSQL", () => tests.fresh());
