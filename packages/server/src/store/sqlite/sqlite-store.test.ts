import { storeContract } from "../store.contract.ts";
import { freshSqlite } from "./test/fresh-sqlite.ts";

storeContract("SQLite", freshSqlite);
