/** Each runtime, serving conformance.ts with the built package. */
import { join } from "node:path";
import { eventually, freePort } from "@aldis/testkit";
import { installPublished } from "../support/published.ts";

export type Runtime = "bun" | "node" | "deno" | "workerd";

export type Host = AsyncDisposable & { readonly url: string };

const START: Readonly<Record<Runtime, string>> = {
  bun: `Bun.serve({ hostname: "127.0.0.1", port: Number(Bun.argv[2]), fetch: respond });`,
  deno: `Deno.serve({ hostname: "127.0.0.1", port: Number(Deno.args[0]) }, respond);`,
  workerd: "export default { fetch: respond };",
  node: `
import { createServer } from "node:http";
createServer(async (incoming, outgoing) => {
  const { method, headers, url } = incoming;
  const chunks = [];
  for await (const chunk of incoming) chunks.push(chunk);
  const body = method === "POST" ? Buffer.concat(chunks) : undefined;
  const answer = await respond(new Request(new URL(url, "http://host"), { method, headers, body }));
  outgoing.writeHead(answer.status).end(await answer.text());
}).listen(Number(process.argv[2]), "127.0.0.1");`,
};

/** Of Node: globals that came after version 18, so that a later one does for it; \`crypto\` goes by a flag. */
const OLDER = `
delete AbortSignal.any;
delete Promise.withResolvers;
delete Array.fromAsync;
delete Object.groupBy;
delete Response.json;
for (const name of ["toSorted", "toReversed", "with", "toSpliced", "findLast"]) delete Array.prototype[name];
delete globalThis.navigator;
delete globalThis.WebSocket;
`;

const workerdConfig = (port: number) => `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [
    (name = "main", worker = (
      modules = [
        (name = "main.js", esModule = embed "main.js"),
        (name = "conformance.js", esModule = embed "conformance.js"),
        (name = "@aldis/backend", esModule = embed "node_modules/@aldis/backend/index.js"),
      ],
      compatibilityDate = "2024-01-01",
    )),
    # Reaches this machine, as a real one would not.
    (name = "internet", network = (allow = ["public", "private", "local"])),
  ],
  sockets = [(name = "http", address = "127.0.0.1:${port}", http = (), service = "main")],
);
`;

const argumentsOf: Readonly<Record<Runtime, (port: string) => string[]>> = {
  bun: (port) => ["main.js", port],
  deno: (port) => ["run", "--allow-net=127.0.0.1,localhost", "--no-prompt", "main.js", port],
  workerd: () => ["serve", "config.capnp"],
  node: (port) => ["main.js", port],
};

/** Starts `program`, with `flags` before its own arguments, and waits until it answers. */
export async function launch(
  runtime: Runtime,
  program: string,
  flags: readonly string[] = [],
): Promise<Host> {
  const published = await installPublished();
  const { folder } = published;
  const port = await freePort();
  await buildConformance(folder);
  const older = runtime === "node" ? 'import "./older.js";' : "";
  await Bun.write(join(folder, "older.js"), OLDER);
  await Bun.write(
    join(folder, "main.js"),
    `${older}import { respond } from "./conformance.js";\n${START[runtime]}\n`,
  );
  await Bun.write(join(folder, "config.capnp"), workerdConfig(port));
  const command = [program, ...flags, ...argumentsOf[runtime](String(port))];
  const child = Bun.spawn(command, { cwd: folder, stdout: "inherit", stderr: "inherit" });
  const url = `http://127.0.0.1:${port}`;
  await eventually(`${runtime} to serve`, async () => {
    if (child.exitCode !== null) throw new Error(`${program} ended with ${child.exitCode}`);
    return (await fetch(url).catch(() => undefined))?.status === 405;
  });
  return {
    url,
    async [Symbol.asyncDispose]() {
      child.kill();
      await child.exited;
      await published[Symbol.asyncDispose]();
    },
  };
}

async function buildConformance(folder: string): Promise<void> {
  const { outputs } = await Bun.build({
    entrypoints: [join(import.meta.dir, "conformance.ts")],
    target: "browser",
    format: "esm",
    external: ["@aldis/backend"],
  });
  for (const output of outputs) await Bun.write(join(folder, "conformance.js"), output);
}
