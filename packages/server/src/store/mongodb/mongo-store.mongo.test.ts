import { storeContract } from "../store.contract.ts";
import { onMongo } from "./test/on-mongo.ts";

onMongo((fresh) => storeContract("MongoDB", fresh));
