import { onMongo } from "../store/mongodb/test/on-mongo.ts";
import { notificationsContract } from "./notifications.contract.ts";

onMongo((fresh) => notificationsContract("MongoDB", fresh));
