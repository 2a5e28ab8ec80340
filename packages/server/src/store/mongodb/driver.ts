import type { MongoClient, MongoClientOptions } from "mongodb";
import { StoreUnfit } from "../store.ts";
import { SERVER_SHARE } from "./mongo-link.ts";
import type { MongoTarget } from "./target.ts";

export type ClientOptions = {
  readonly timeoutMs: number;
  /** Connections at most. */
  readonly poolMax: number;
  /** For what takes long, as the making of an index: {@link PATIENCE_MS} for each command. */
  readonly patient: boolean;
  /** Told of the client before it connects, to be able to end that. */
  readonly onClient: (client: MongoClient) => void;
};

/** MongoDB goes on making an index whose client is gone; who asks again waits for the same one. */
const PATIENCE_MS = 600_000;

/**
 * A client that has connected; whoever is told of it closes it. The driver is loaded here alone: it takes 50 MB and 0.2 s of those who use it. What matters to us is set whatever the URL
 * says. Rejects with `StoreUnfit` when the driver is not installed, else with what the driver says.
 */
export async function connectTo(target: MongoTarget, options: ClientOptions): Promise<MongoClient> {
  const { MongoClient: Client } = await loadDriver();
  const client = new Client(target.url, clientOptions(options));
  options.onClient(client);
  return await client.connect();
}

export function clientOptions({
  timeoutMs,
  poolMax,
  patient,
}: Omit<ClientOptions, "onClient">): MongoClientOptions {
  const wtimeoutMS = Math.ceil(timeoutMs * SERVER_SHARE);
  return {
    appName: "aldis",
    maxPoolSize: poolMax,
    serverSelectionTimeoutMS: timeoutMs,
    connectTimeoutMS: timeoutMs,
    waitQueueTimeoutMS: timeoutMs,
    socketTimeoutMS: patient ? PATIENCE_MS : timeoutMs,
    // What is acknowledged is in the journals of a majority, and what is read is, too.
    writeConcern: { w: "majority", journal: true, ...(!patient && { wtimeoutMS }) },
    readConcern: { level: "majority" },
    readPreference: "primary",
    retryWrites: true,
    retryReads: true,
    ignoreUndefined: true,
  };
}

async function loadDriver(): Promise<typeof import("mongodb")> {
  try {
    return await import("mongodb");
  } catch (cause) {
    throw new StoreUnfit(
      "store.url names a MongoDB, which needs the package mongodb, which is not installed: bun add mongodb@7",
      { cause },
    );
  }
}
