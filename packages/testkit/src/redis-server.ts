import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort } from "./free-port.ts";

/** A real Redis in a process of its own, on a free port of the loopback, with a folder of its own. */
export type RedisServer = AsyncDisposable & {
  readonly port: number;
  /** `redis://127.0.0.1:port` */
  readonly url: string;
  readonly pid: number;
  /** One command by `redis-cli`; gives what it prints, without the end of line. */
  cli(...args: string[]): Promise<string>;
  /** `SIGSTOP` and `SIGCONT` among them: to the present process. */
  kill(signal: NodeJS.Signals): void;
  /** Kills it, and starts it again on its port; empty unless it kept something on disk. */
  restart(): Promise<void>;
  /** Kills it; the port is free until {@link restart}. */
  stop(): Promise<void>;
};

export type RedisServerOptions = {
  /** More arguments of redis-server: `["--maxmemory", "10mb"]`. */
  readonly args?: readonly string[];
  readonly port?: number;
};

/** Starts one without persistence; `await using` ends it. */
export async function startRedis({
  args = [],
  port = freePort(),
}: RedisServerOptions = {}): Promise<RedisServer> {
  const folder = await mkdtemp(join(tmpdir(), "aldis-redis-"));
  const command = [
    ...["redis-server", "--port", String(port), "--bind", "127.0.0.1", "--dir", folder],
    ...["--save", "", "--appendonly", "no", "--daemonize", "no", ...args],
  ];

  async function cli(...words: string[]): Promise<string> {
    const child = Bun.spawn(["redis-cli", "-p", String(port), ...words], { stderr: "pipe" });
    const text = await new Response(child.stdout).text();
    await child.exited;
    return text.trimEnd();
  }

  async function start() {
    const child = Bun.spawn(command, { stdin: "ignore", stdout: "ignore", stderr: "inherit" });
    while ((await cli("ping")) !== "PONG") {
      if (child.exitCode !== null) throw new Error(`redis-server ended with ${child.exitCode}`);
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
    url: `redis://127.0.0.1:${port}`,
    get pid() {
      return server.pid;
    },
    cli,
    kill: (signal) => server.kill(signal),
    stop,
    async restart() {
      await stop();
      server = await start();
    },
    async [Symbol.asyncDispose]() {
      await stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
