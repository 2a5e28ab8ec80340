import { freshSqlite } from "../store/sqlite/test/fresh-sqlite.ts";
import { notificationsContract } from "./notifications.contract.ts";

notificationsContract("SQLite", freshSqlite);
