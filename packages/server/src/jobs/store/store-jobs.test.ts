import { freshSqlite } from "../../store/sqlite/test/fresh-sqlite.ts";
import { jobsContract } from "../jobs.contract.ts";
import { freshStoreJobs } from "./test/fresh-store-jobs.ts";

jobsContract("jobs in SQLite", freshStoreJobs(freshSqlite));
