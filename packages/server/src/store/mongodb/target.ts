import { accept, type Result, refuse } from "@aldis/protocol";

/** Where a MongoDB is, out of `store.url`. */
export type MongoTarget = {
  /** For the driver; it may hold a password. */
  readonly url: string;
  readonly database: string;
  /** For logs: hosts and database, without user and password. */
  readonly description: string;
};

const URL_PARTS = /^mongodb(?:\+srv)?:\/\/(?:[^@/?]*@)?([^@/?]+)\/([^?/]+)(?:\?|$)/;
/** What every MongoDB takes as a name, on any system. */
const DATABASE = /^[A-Za-z0-9_-]{1,38}$/;

/** The messages do not repeat the text: it may hold a password. The driver reads the rest of it, when it is loaded. */
export function parseMongoTarget(url: string): Result<MongoTarget> {
  const [, hosts = "", database = ""] = URL_PARTS.exec(url) ?? [];
  if (hosts === "" || !DATABASE.test(database)) {
    return refuse(
      "bad_request",
      "names hosts and a database of letters, digits, `_` and `-`: `mongodb://host:27017/aldis`",
    );
  }
  return accept({ url, database, description: `MongoDB, database ${database} at ${hosts}` });
}
