import { afterAll } from "bun:test";
import { postgresTests } from "../../store/postgres/test/fresh-postgres.ts";
import { jobsContract } from "../jobs.contract.ts";
import { freshStoreJobs } from "./test/fresh-store-jobs.ts";

const tests = postgresTests();
afterAll(() => tests[Symbol.asyncDispose]());

jobsContract(
  "jobs in PostgreSQL",
  freshStoreJobs(() => tests.fresh()),
);
