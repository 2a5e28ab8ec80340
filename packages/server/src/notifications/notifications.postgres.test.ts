import { afterAll } from "bun:test";
import { postgresTests } from "../store/postgres/test/fresh-postgres.ts";
import { notificationsContract } from "./notifications.contract.ts";

const tests = postgresTests();
afterAll(() => tests[Symbol.asyncDispose]());

notificationsContract("PostgreSQL", () => tests.fresh());
