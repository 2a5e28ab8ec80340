// Another process that writes to the database of a gateway, and does not end: holds its lock until it is killed.
import { Database } from "bun:sqlite";

const [path = ""] = process.argv.slice(2);
const db = new Database(path, { readwrite: true });
db.run("PRAGMA busy_timeout = 10000");
db.run("BEGIN IMMEDIATE");
process.stdout.write("held\n");
// Held by something that lives: a database that nobody knows any more is closed.
setInterval(() => db.inTransaction, 1_000);
