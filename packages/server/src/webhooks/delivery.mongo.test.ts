import { setDefaultTimeout } from "bun:test";
import { onMongo } from "../store/mongodb/test/on-mongo.ts";
import { crashModelTests } from "./test/crash-model.ts";

// The stand-in takes its time.
setDefaultTimeout(60_000);

onMongo((fresh) => crashModelTests("MongoDB", fresh, { runs: 4, stride: 20 }));
