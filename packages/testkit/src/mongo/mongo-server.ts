import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort } from "../free-port.ts";
import { freeze, letGo } from "../processes.ts";
import { WITH_ITS_PARENT } from "../with-its-parent.ts";
import { buildStandIn } from "./stand-in.ts";

/**
 * The stand-in for MongoDB in a process of its own, on a free port of the loopback, with a folder of its own: FerretDB on SQLite files, one command at a
 * time. What it acknowledges outlives its process.
 */
export type MongoServer = AsyncDisposable & {
  readonly port: number;
  readonly pid: number;
  /** `mongodb://127.0.0.1:port/database` */
  urlOf(database: string): string;
  /** The URL of a database that is not there yet. */
  createDatabase(): string;
  /** Freezes it, until {@link MongoServer.resume}; done when it stands still. */
  pause(): Promise<void>;
  resume(): void;
  /** `kill -9`; the port is free until {@link MongoServer.start}. */
  kill(): Promise<void>;
  /** Starts it again with what it had. */
  start(): Promise<void>;
};

/** Starts one, built if it has to be; ready when it takes connections. `await using` ends it. */
export async function startMongo(): Promise<MongoServer> {
  const program = await buildStandIn();
  const folder = mkdtempSync(join(tmpdir(), "aldis-mongo-"));
  const port = freePort();
  const command = [...WITH_ITS_PARENT, program, `127.0.0.1:${port}`, folder];
  let databases = 0;

  async function start(): Promise<Bun.Subprocess> {
    const child = Bun.spawn(command, { stdin: "ignore", stdout: "ignore", stderr: "inherit" });
    while (!(await listens(port))) {
      if (child.exitCode !== null) throw new Error(`ferretdb ended with ${child.exitCode}`);
      await Bun.sleep(10);
    }
    return child;
  }

  let server = await start();

  async function kill(): Promise<void> {
    server.kill("SIGKILL");
    await server.exited;
  }

  const urlOf = (database: string) => `mongodb://127.0.0.1:${port}/${database}`;
  return {
    port,
    get pid() {
      return server.pid;
    },
    urlOf,
    createDatabase: () => urlOf(`test_${++databases}`),
    pause: () => freeze(server.pid),
    resume: () => letGo(server.pid),
    kill,
    async start() {
      server = await start();
    },
    async [Symbol.asyncDispose]() {
      await kill();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function listens(port: number): Promise<boolean> {
  try {
    const socket = await Bun.connect({ hostname: "127.0.0.1", port, socket: { data() {} } });
    socket.end();
    return true;
  } catch {
    return false;
  }
}
