import { freshSqlite } from "../store/sqlite/test/fresh-sqlite.ts";
import { crashModelTests } from "./test/crash-model.ts";

crashModelTests("SQLite", freshSqlite, 40);
