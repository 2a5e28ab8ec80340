import { Database } from "bun:sqlite";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ConfigInput } from "@aldis/server";
import {
  createFakeClock,
  eventually,
  type FakeClock,
  startTestGateway,
  type TestGateway,
} from "@aldis/testkit";

/** An event as it stands in the log of an endpoint. */
export type LoggedEvent = {
  readonly seq: number;
  readonly id: string;
  readonly type: string;
  readonly at: number;
  readonly data: Record<string, unknown>;
};

export type Webhooks = AsyncDisposable & {
  readonly gateway: TestGateway;
  readonly clock: FakeClock;
  /** Adds an endpoint that wants these. */
  want(types: readonly string[], namespaces?: readonly string[]): Promise<string>;
  /** What is in the endpoint's log, in order. */
  events(endpoint: string): readonly LoggedEvent[];
  /** What was told, by its type and what it is about, once there are so many. */
  told(endpoint: string, count: number): Promise<readonly string[]>;
  /** How many records there are that things are followed by. */
  followed(): number;
  /** Ends the gateway, as a process that is killed, and starts another one over the same records. */
  restart(): Promise<void>;
};

type Row = Omit<LoggedEvent, "data"> & { readonly body: string };

/** A gateway with webhooks over an SQLite of its own. Nothing that it posts arrives anywhere: what is looked at is the log. */
export async function openWebhooks(config: ConfigInput = {}): Promise<Webhooks> {
  const folder = await mkdtemp(join(tmpdir(), "aldis-webhooks-"));
  const path = join(folder, "records.db");
  const clock = createFakeClock();
  const start = () =>
    startTestGateway({
      clock,
      config: {
        // Tests move the clock by minutes while it writes.
        store: { url: `sqlite:${path}`, timeoutMs: 600_000 },
        outbound: { allowPrivate: ["127.0.0.1"] },
        ...config,
      },
    });
  let gateway = await start();
  const rows = <R>(sql: string, ...values: string[]): R[] => {
    const database = new Database(path, { readonly: true });
    try {
      return database.query<R, string[]>(sql).all(...values);
    } finally {
      database.close();
    }
  };
  const events = (endpoint: string) =>
    rows<Row>(
      "SELECT seq, id, type, at, body FROM webhooks_events WHERE endpoint = ? ORDER BY seq",
      endpoint,
    ).map(({ body, ...row }) => ({ ...row, data: JSON.parse(body).data }));
  return {
    get gateway() {
      return gateway;
    },
    clock,
    async want(types, namespaces = []) {
      const body = { url: "http://127.0.0.1:9/", types, namespaces };
      const { status, body: answer } = await gateway.call("POST", "/api/webhooks", body);
      if (status !== 200) throw new Error(`webhooks: ${status} ${JSON.stringify(answer)}`);
      return String((answer as { endpoint: string }).endpoint);
    },
    events,
    async told(endpoint, count) {
      await eventually(`${count} events`, () => events(endpoint).length >= count);
      return events(endpoint).map(({ type, data }) => {
        const about = data["channel"] ?? data["session"];
        return [type, about, data["user"]].filter((part) => part !== undefined).join(" ");
      });
    },
    followed: () => rows("SELECT kind FROM webhooks_holds").length,
    async restart() {
      await gateway[Symbol.asyncDispose]();
      gateway = await start();
    },
    async [Symbol.asyncDispose]() {
      await gateway[Symbol.asyncDispose]();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
