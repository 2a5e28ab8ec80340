import { chmodSync, chownSync, copyFileSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort } from "../free-port.ts";
import { freezeWithChildren, letGo, processesOf, signalAll } from "../processes.ts";
import type { Certificates } from "../redis/certificates.ts";
import { type Account, accountOfServer, asAccount } from "./account.ts";
import { postgresPrograms } from "./programs.ts";

/** A real PostgreSQL with a folder of its own, on a free port of the loopback. What it acknowledges is on disk, as it is shipped. */
export type PostgresServer = AsyncDisposable & {
  readonly port: number;
  readonly pid: number;
  /** `postgres://user:password@127.0.0.1:port/database`. The user may do everything. */
  urlOf(database: string): string;
  /** A new, empty database; gives its URL. */
  createDatabase(): Promise<string>;
  /** Runs SQL by `psql`, as superuser through a socket file; gives the rows, their columns parted by `|`. */
  psql(sql: string, database?: string): Promise<string>;
  /** Freezes all of its processes, connections in use among them, until {@link PostgresServer.resume}; done when they stand still. */
  pause(): Promise<void>;
  resume(): void;
  /** `kill -9` to all of its processes at once, as if the machine's power went; the port is free until {@link PostgresServer.start}. */
  kill(): Promise<void>;
  /** Ends it in peace: connections are told. */
  stop(): Promise<void>;
  /** Starts it again, after {@link PostgresServer.kill} or {@link PostgresServer.stop}. */
  start(): Promise<void>;
};

export type PostgresOptions = {
  /** Settings of `postgresql.conf`: `{ max_connections: "10" }`. */
  readonly settings?: Readonly<Record<string, string>>;
  /** Takes TLS by these too. */
  readonly tls?: Certificates;
};

export const POSTGRES_USER = "aldis";
export const POSTGRES_PASSWORD = "p@ss/wörd";

/** Starts one; ready when it answers. `await using` ends it. */
export async function startPostgres(options: PostgresOptions = {}): Promise<PostgresServer> {
  const programs = postgresPrograms();
  if (programs === undefined) throw new Error("there is no PostgreSQL on this machine");
  const { settings = {}, tls } = options;
  const account = accountOfServer();
  const folder = ownFolder(account);
  const port = freePort();
  await initialise(programs.initdb, folder, account);
  const all = { ...BASE_SETTINGS, ...(tls && tlsSettings(tls, folder, account)), ...settings };
  const command = [
    ...asAccount(account),
    ...[programs.postgres, "-D", join(folder, "data"), "-k", folder],
    ...["-h", "127.0.0.1", "-p", String(port)],
    ...Object.entries(all).flatMap(([name, value]) => ["-c", `${name}=${value}`]),
  ];

  async function psql(sql: string, database = "postgres"): Promise<string> {
    const { code, text } = await run([
      ...[programs?.psql ?? "psql", "-X", "-A", "-t", "-q", "-v", "ON_ERROR_STOP=1"],
      ...["-h", folder, "-p", String(port), "-U", POSTGRES_USER, "-d", database, "-c", sql],
    ]);
    if (code !== 0) throw new Error(`psql: ${text}`);
    return text.trimEnd();
  }

  const answers = () => psql("SELECT 1").then(Boolean, () => false);
  const start = () => startProcesses(command, join(folder, "log"), answers);
  let server = await start();
  let databases = 0;
  const urlOf = (database: string) =>
    `postgres://${POSTGRES_USER}:${encodeURIComponent(POSTGRES_PASSWORD)}@127.0.0.1:${port}/${database}`;

  return {
    port,
    get pid() {
      return server.pid;
    },
    urlOf,
    async createDatabase() {
      const name = `test_${++databases}`;
      await psql(`CREATE DATABASE ${name}`);
      return urlOf(name);
    },
    psql,
    pause: () => freezeWithChildren(server.pid),
    resume: () => letGo(...processesOf(server.pid)),
    kill: () => end(server, "SIGKILL"),
    stop: () => end(server, "SIGINT"),
    async start() {
      server = await start();
    },
    async [Symbol.asyncDispose]() {
      await end(server, "SIGQUIT");
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function startProcesses(
  command: string[],
  logFile: string,
  answers: () => Promise<boolean>,
): Promise<Bun.Subprocess> {
  for (;;) {
    const log = Bun.file(logFile);
    const server = Bun.spawn(command, { stdin: "ignore", stdout: "ignore", stderr: log });
    while (server.exitCode === null && !(await answers())) await Bun.sleep(20);
    if (server.exitCode === null) return server;
    const said = await log.text();
    // Of a server that was killed some process may be on its way out.
    if (!/is still in use|already exists/.test(said)) throw new Error(`postgres: ${said}`);
    await Bun.sleep(50);
  }
}

async function end(server: Bun.Subprocess, signal: NodeJS.Signals): Promise<void> {
  if (server.exitCode !== null || server.signalCode !== null) return;
  const processes = processesOf(server.pid);
  if (signal === "SIGKILL") {
    signalAll(processes, signal);
  } else {
    letGo(...processes);
    server.kill(signal);
  }
  await server.exited;
}

/** Small: several are run beside each other. */
const BASE_SETTINGS = { shared_buffers: "32MB", jit: "off", autovacuum_naptime: "10min" };

function ownFolder(account: Account | undefined): string {
  const folder = mkdtempSync(join(tmpdir(), "aldis-postgres-"));
  if (account !== undefined) chownSync(folder, account.uid, account.gid);
  return folder;
}

/** With an order of texts that is not that of bytes, so that it is seen where an order is left to chance. */
async function initialise(
  initdb: string,
  folder: string,
  account: Account | undefined,
): Promise<void> {
  const passwordFile = join(folder, "password");
  writeFileSync(passwordFile, POSTGRES_PASSWORD, { mode: 0o600 });
  if (account !== undefined) chownSync(passwordFile, account.uid, account.gid);
  // PostgreSQL 15 and later.
  const takesIcu = (await run([initdb, "--help"])).text.includes("--icu-locale");
  const { code, text } = await run([
    ...asAccount(account),
    ...[initdb, "-D", join(folder, "data"), "-U", POSTGRES_USER, "--pwfile", passwordFile],
    ...["--auth-local", "trust", "--auth-host", "scram-sha-256", "--no-sync"],
    ...["--encoding", "UTF8", "--locale", "C.UTF-8"],
    ...(takesIcu ? ["--locale-provider", "icu", "--icu-locale", "en-US"] : []),
  ]);
  if (code !== 0) throw new Error(`initdb: ${text}`);
}

function tlsSettings(
  { certFile, keyFile }: Certificates,
  folder: string,
  account: Account | undefined,
): Record<string, string> {
  // A key that others could read is refused.
  const key = join(folder, "server.key");
  const cert = join(folder, "server.crt");
  copyFileSync(keyFile, key);
  copyFileSync(certFile, cert);
  chmodSync(key, 0o600);
  for (const file of account === undefined ? [] : [key, cert]) {
    chownSync(file, account?.uid ?? 0, account?.gid ?? 0);
  }
  return { ssl: "on", ssl_cert_file: cert, ssl_key_file: key };
}

async function run(command: string[]): Promise<{ code: number; text: string }> {
  const child = Bun.spawn(command, { cwd: "/", stdin: "ignore", stderr: "pipe" });
  const [out, err] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
  ]);
  const code = await child.exited;
  return { code, text: code === 0 ? out : err };
}
