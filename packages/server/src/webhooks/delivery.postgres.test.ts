import { afterAll } from "bun:test";
import { postgresTests } from "../store/postgres/test/fresh-postgres.ts";
import { crashModelTests } from "./test/crash-model.ts";

const tests = postgresTests();
afterAll(() => tests[Symbol.asyncDispose]());

crashModelTests("PostgreSQL", () => tests.fresh(), { runs: 10, stride: 5 });
