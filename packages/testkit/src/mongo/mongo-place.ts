import { randomUUID } from "node:crypto";
import { existsSync } from "node:fs";
import { startMongo } from "./mongo-server.ts";
import { goProgram, standInPath } from "./stand-in.ts";

/** Where tests may have databases: a real MongoDB if `MONGODB_URL` names one, else a stand-in of their own. */
export type MongoPlace = AsyncDisposable & {
  /** The URL of a database that is not there yet. */
  createDatabase(): string;
};

/** Why tests of MongoDB cannot be run on this machine, for their names; undefined: they can. */
export function whyNoMongo(): string | undefined {
  if (Bun.env["MONGODB_URL"] !== undefined) return undefined;
  return (
    whyNoStandIn() &&
    "MongoDB: skipped, as there is neither MONGODB_URL, nor Go to build a stand-in"
  );
}

/** Why there cannot be a server that is stopped and started, as the one that MONGODB_URL names is left alone; undefined: there can. */
export function whyNoStandIn(): string | undefined {
  if (goProgram() !== undefined || existsSync(standInPath())) return undefined;
  return "MongoDB: skipped, as there is no Go to build a stand-in";
}

/** `await using` removes its databases. */
export async function openMongo(): Promise<MongoPlace> {
  const url = Bun.env["MONGODB_URL"];
  if (url === undefined) return startMongo();
  const databases: string[] = [];
  return {
    createDatabase() {
      const database = withDatabase(url, `aldis_test_${randomUUID().slice(0, 8)}`);
      databases.push(database);
      return database;
    },
    async [Symbol.asyncDispose]() {
      // Here alone: whoever uses the testkit for other things is not to load it.
      const { MongoClient } = await import("mongodb");
      for (const database of databases) {
        await using client = await MongoClient.connect(database);
        await client.db().dropDatabase();
      }
    },
  };
}

/** `mongodb://` URLs may name several hosts, which `URL` does not take. The users are those of the database that the URL named. */
function withDatabase(url: string, name: string): string {
  const parts = /^(mongodb(?:\+srv)?:\/\/[^/?]+)(?:\/([^?]*))?(?:\?(.*))?$/.exec(url);
  if (parts === null) throw new Error("MONGODB_URL is no URL of a MongoDB");
  const [, hosts = "", database = "", query = ""] = parts;
  const options = new URLSearchParams(query);
  if (!options.has("authSource") && hosts.includes("@")) {
    options.set("authSource", database || "admin");
  }
  return `${hosts}/${name}?${options}`;
}
