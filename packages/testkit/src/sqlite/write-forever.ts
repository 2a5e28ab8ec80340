// A process that is amid a commit for half of its time.
import { Database } from "bun:sqlite";

const [path = ""] = process.argv.slice(2);
const database = new Database(path);
database.run("PRAGMA busy_timeout = 10000");
database.run("PRAGMA journal_mode = WAL");
database.run("CREATE TABLE IF NOT EXISTS lines (line TEXT)");
process.stdout.write("begun\n");
for (;;) {
  database.run("BEGIN IMMEDIATE");
  for (let line = 0; line < 300; line++) database.run("INSERT INTO lines VALUES ('x')");
  database.run("DELETE FROM lines");
  database.run("COMMIT");
  await Bun.sleep(1);
}
