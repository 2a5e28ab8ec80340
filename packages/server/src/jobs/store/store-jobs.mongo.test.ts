import { setDefaultTimeout } from "bun:test";
import { onMongo } from "../../store/mongodb/test/on-mongo.ts";
import { jobsContract } from "../jobs.contract.ts";
import { freshStoreJobs } from "./test/fresh-store-jobs.ts";

// The stand-in takes its time.
setDefaultTimeout(60_000);

onMongo((fresh) => jobsContract("jobs in MongoDB", freshStoreJobs(fresh)));
