import { Command } from "commander";
import { type ApiAccess, callApi, KEY_HELP } from "./api-call.ts";
import { isObject } from "./config-sources.ts";
import { type CliContext, CliFailure } from "./console.ts";
import { parseUrl, URL_HELP } from "./options.ts";
import { tableOf } from "./table.ts";

/** What the commands read of a node; the gateway may tell more. */
export type ListedNode = {
  readonly id: string;
  readonly name: string;
  readonly version: string;
  readonly role: string;
  readonly queues: readonly string[];
  readonly draining: boolean;
  readonly self: boolean;
  readonly connections: number;
  readonly capacity: number;
  readonly admitPerSecond: number;
  readonly loopLagMs: number;
  readonly lastSeenMs: number;
};

export function nodesCommand(context: CliContext): Command {
  return new Command("nodes")
    .description("list the nodes of the cluster with their load")
    .option("-u, --url <url>", URL_HELP, parseUrl)
    .option("-k, --key <key>", KEY_HELP)
    .option("--json", "print what the gateway answers")
    .addHelpText("after", "\nThe key needs the scope `cluster`, which `*` does not hold.\n")
    .action(async ({ json, ...access }: ApiAccess & { json?: boolean }) => {
      const nodes = await listNodes(context, access);
      context.out(json ? `${JSON.stringify(nodes)}\n` : table(nodes));
    });
}

export async function listNodes(context: CliContext, access: ApiAccess): Promise<ListedNode[]> {
  const answer = await callApi(context, access, { method: "GET", path: "/api/cluster/nodes" });
  const nodes = isObject(answer) ? answer["nodes"] : undefined;
  if (!Array.isArray(nodes)) throw new CliFailure("the gateway gave an answer without nodes");
  return nodes.filter(isObject).map(readNode);
}

function readNode(node: Record<string, unknown>): ListedNode {
  const load = isObject(node["load"]) ? node["load"] : {};
  const count = (from: Record<string, unknown>, name: string) => Number(from[name] ?? 0);
  return {
    id: String(node["id"]),
    name: String(node["name"]),
    version: String(node["version"]),
    // Those before there were roles did everything.
    role: String(node["role"] ?? "all"),
    queues: Array.isArray(node["queues"]) ? node["queues"].map(String) : [],
    draining: node["draining"] === true,
    self: node["self"] === true,
    connections: count(load, "connections"),
    capacity: count(load, "capacity"),
    admitPerSecond: count(load, "admitPerSecond"),
    loopLagMs: count(load, "loopLagMs"),
    lastSeenMs: count(node, "lastSeenMs"),
  };
}

const HEAD = [
  "NODE",
  "ROLE",
  "STATE",
  "CONNECTIONS",
  "OF",
  "ADMITS/S",
  "LAG MS",
  "SEEN MS AGO",
  "VERSION",
];

function stateOf({ draining, role }: ListedNode): string {
  if (draining) return "draining";
  return role === "worker" ? "working" : "serving";
}

/** The node that answered has a star. */
function table(nodes: readonly ListedNode[]): string {
  const rows = nodes.map((node) => [
    `${node.id}${node.self ? " *" : ""}`,
    node.role === "worker" ? `worker: ${node.queues.join(", ")}` : node.role,
    stateOf(node),
    ...[node.connections, node.capacity, node.admitPerSecond, node.loopLagMs, node.lastSeenMs],
    node.version,
  ]);
  return tableOf(HEAD, rows);
}
