import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { cpus, release, type } from "node:os";
import { basename, join } from "node:path";
import { pathToFileURL } from "node:url";
import type { Subprocess } from "bun";
import type { SystemName } from "../job.ts";
import { READY } from "./ready.ts";

/**
 * Starts benched servers, each in its own process on core 0 unless said otherwise (the generator has core 1). Node 20 runs no
 * TypeScript, so the servers for Node are transpiled first, their packages left as they are.
 */
const READY_MAX_MS = 15_000;
export type ServerName =
  | SystemName
  | "soak"
  | "node"
  | "noisy"
  | "webhooks"
  | "rpc"
  | "rpc-backend";
const FILES: Record<ServerName, string> = {
  aldis: "aldis.ts",
  soak: "soak.ts",
  node: "node.ts",
  noisy: "noisy.ts",
  webhooks: "webhooks.ts",
  rpc: "rpc.ts",
  "rpc-backend": "rpc-backend.ts",
  bun: "bun.ts",
  ws: "ws.ts",
  "socket.io": "socket-io.ts",
};

export type Server = {
  port: number;
  pid: number;
  /** Sends an order over IPC to a server that takes any, and waits for its answer; one at a time. */
  ask<Answer>(order: object): Promise<Answer>;
  stop(): Promise<void>;
};

/** Where and by what the processes of a run are executed. */
export type Machine = {
  taskset: string | undefined;
  node: string | undefined;
  nodeVersion: string | undefined;
  /** Folder with the transpiled servers; inside bench, so that their imports resolve. */
  nodeServers: string;
  dispose(): void;
};

export async function openMachine(): Promise<Machine> {
  const node = Bun.which("node") ?? undefined;
  const version = node === undefined ? undefined : await firstLine([node, "--version"]);
  const dist = join(import.meta.dir, "..", "..", "dist");
  mkdirSync(dist, { recursive: true });
  const folder = mkdtempSync(join(dist, "servers-"));
  await transpile(folder);
  return {
    taskset: cpus().length > 1 ? (Bun.which("taskset") ?? undefined) : undefined,
    node,
    nodeVersion: version,
    nodeServers: folder,
    dispose: () => rmSync(folder, { recursive: true, force: true }),
  };
}

/** The command line that runs `command` on one core only, where that can be done. */
export function pinned(machine: Machine, core: number, command: string[]): string[] {
  return machine.taskset === undefined
    ? command
    : [machine.taskset, "-c", String(core), ...command];
}

export async function startServer(
  machine: Machine,
  system: ServerName,
  environment: Record<string, string>,
  core = 0,
): Promise<Server> {
  let answered = Promise.withResolvers<unknown>();
  const child = Bun.spawn(pinned(machine, core, command(machine, system)), {
    env: { ...process.env, BENCH_JOSE: joseUrl(), ...environment },
    stdout: "pipe",
    stderr: "inherit",
    ipc: (message) => answered.resolve(message),
    serialization: "json", // Node's way of it, too
    onExit: () => answered.reject(new Error(`the ${system} server ended`)),
  });
  answered.promise.catch(() => {}); // until somebody asks, its end is told by stop() and the sockets
  const port = await readPort(child, system);
  return {
    port,
    pid: child.pid,
    async ask<Answer>(order: object) {
      answered = Promise.withResolvers<unknown>();
      child.send(order);
      return (await answered.promise) as Answer;
    },
    async stop() {
      answered.promise.catch(() => {});
      child.kill("SIGKILL"); // nothing of it is kept, and thousands of sockets close slowly otherwise
      await child.exited;
    },
  };
}

function command(machine: Machine, system: ServerName): string[] {
  const onBun = machine.node === undefined || (system !== "ws" && system !== "socket.io");
  return onBun
    ? [process.execPath, join(import.meta.dir, FILES[system])]
    : [machine.node ?? "", join(machine.nodeServers, `${basename(FILES[system], ".ts")}.mjs`)];
}

/** Reads the child's output for as long as it lives: a closed pipe would end a server that logs. */
function readPort(
  child: Subprocess<"ignore", "pipe", "inherit">,
  system: ServerName,
): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  const watchdog = setTimeout(() => child.kill("SIGKILL"), READY_MAX_MS);
  async function read(): Promise<void> {
    let output = "";
    for await (const text of child.stdout.pipeThrough(new TextDecoderStream())) {
      output = (output + text).slice(-2000);
      const port = new RegExp(`${READY}(\\d+)\\s`).exec(output)?.[1];
      if (port !== undefined) {
        clearTimeout(watchdog);
        resolve(Number(port));
      }
    }
    clearTimeout(watchdog);
    reject(new Error(`the ${system} server ended: ${output}`));
  }
  read().catch(reject);
  return promise;
}

async function transpile(folder: string): Promise<void> {
  const built = await Bun.build({
    entrypoints: [FILES.ws, FILES["socket.io"]].map((file) => join(import.meta.dir, file)),
    outdir: folder,
    naming: "[name].mjs",
    target: "node",
    format: "esm",
    packages: "external",
  });
  if (!built.success) {
    throw new AggregateError(built.logs, "the servers for Node could not be transpiled");
  }
}

/** The jose that @aldis/server has installed. */
function joseUrl(): string {
  const serverFile = Bun.resolveSync("@aldis/server", import.meta.dir);
  return pathToFileURL(Bun.resolveSync("jose", serverFile)).href;
}

async function firstLine(commandLine: string[]): Promise<string> {
  const child = Bun.spawn(commandLine, { stdout: "pipe", stderr: "ignore" });
  return (await new Response(child.stdout).text()).trim();
}

/** Cores, model and kernel, for the head of the report. */
export function describeMachine(machine: Machine): string {
  const [first] = cpus();
  const node = machine.nodeVersion ?? "no Node: ws and Socket.IO run on Bun";
  return `${cpus().length} × ${first?.model.trim() ?? "CPU"}, ${type()} ${release()}, Bun ${Bun.version}, Node ${node}`;
}
