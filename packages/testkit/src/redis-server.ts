import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort } from "./free-port.ts";
import { freeze, letGo } from "./processes.ts";
import type { Certificates } from "./redis/certificates.ts";
import { WITH_ITS_PARENT } from "./with-its-parent.ts";

const PROGRAM = "redis-server";
/** A real Redis in a process of its own, on a free port of the loopback, with a folder of its own. */
export type RedisServer = AsyncDisposable & {
  readonly port: number;
  /** `redis://127.0.0.1:port`, or `rediss:` */
  readonly url: string;
  readonly pid: number;
  /**
   * One command by `redis-cli`; gives what it prints, without the end of line. It goes by a socket file: no proxy and no
   * certificate is in its way.
   */
  cli(...args: string[]): Promise<string>;
  /** Freezes it, until {@link RedisServer.resume}; done when it stands still. */
  pause(): Promise<void>;
  resume(): void;
  /** Kills it, and starts it again on its port; empty unless it persists. */
  restart(): Promise<void>;
  /** Kills it; the port is free until {@link restart}. */
  stop(): Promise<void>;
};

export type RedisServerOptions = {
  /** More arguments of redis-server: `["--maxmemory", "10mb"]`. */
  readonly args?: readonly string[];
  readonly port?: number;
  /** Everything that it acknowledges is on disk before. */
  readonly persist?: boolean;
  /** Listens with TLS alone, by these. */
  readonly tls?: Certificates;
  /** A configuration file before the arguments; it may rewrite it. */
  readonly file?: string;
};

/** True when there is a redis-server to be started. */
export function hasRedis(): boolean {
  return Bun.which(PROGRAM) !== null;
}

/** Starts one, by default without persistence; ready when it answers. `await using` ends it. */
export async function startRedis(options: RedisServerOptions = {}): Promise<RedisServer> {
  const { args = [], port = freePort(), tls, persist = false, file } = options;
  const folder = mkdtempSync(join(tmpdir(), "aldis-redis-"));
  const socket = join(folder, "socket");
  const kept = persist ? ["yes", "--appendfsync", "always"] : ["no"];
  const command = [
    ...[...WITH_ITS_PARENT, PROGRAM, ...(file === undefined ? [] : [file])],
    ...(tls === undefined ? ["--port", String(port)] : tlsArgs(port, tls)),
    ...["--bind", "127.0.0.1", "--unixsocket", socket, "--dir", folder],
    ...["--daemonize", "no", "--save", "", "--appendonly", ...kept, ...args],
  ];

  async function cli(...words: string[]): Promise<string> {
    const child = Bun.spawn(["redis-cli", "-s", socket, ...words], { stderr: "ignore" });
    const text = await new Response(child.stdout).text();
    await child.exited;
    return text.trimEnd();
  }

  async function start() {
    const child = Bun.spawn(command, { stdin: "ignore", stdout: "ignore", stderr: "inherit" });
    // While it reads what it had kept it answers LOADING.
    while ((await cli("ping")) !== "PONG") {
      if (child.exitCode !== null) throw new Error(`${PROGRAM} ended with ${child.exitCode}`);
      await Bun.sleep(10);
    }
    return child;
  }

  let server = await start();

  async function stop(): Promise<void> {
    server.kill("SIGKILL");
    await server.exited;
  }

  return {
    port,
    url: `${tls === undefined ? "redis" : "rediss"}://127.0.0.1:${port}`,
    get pid() {
      return server.pid;
    },
    cli,
    pause: () => freeze(server.pid),
    resume: () => letGo(server.pid),
    stop,
    async restart() {
      await stop();
      server = await start();
    },
    async [Symbol.asyncDispose]() {
      await stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function tlsArgs(port: number, { certFile, keyFile, caFile }: Certificates): string[] {
  return [
    ...["--port", "0", "--tls-port", String(port), "--tls-auth-clients", "no"],
    ...["--tls-cert-file", certFile, "--tls-key-file", keyFile, "--tls-ca-cert-file", caFile],
  ];
}
