import { freshSqlite } from "../store/sqlite/test/fresh-sqlite.ts";
import { crashModelTests } from "./test/crash-model.ts";

crashModelTests("SQLite", freshSqlite, { runs: 20, stride: 2 });
