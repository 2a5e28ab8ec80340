// A process that brings a database up to date, and tells when it is.
import { sqliteStore } from "../../../src/store/sqlite/test/fresh-sqlite.ts";

const [path = "", plans = "[]"] = process.argv.slice(2);
const store = sqliteStore({ path });
await store.open(JSON.parse(plans));
process.stdout.write("open\n");
await store.close();
