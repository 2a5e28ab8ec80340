import { Command } from "commander";
import { type ApiAccess, callApi, KEY_HELP } from "./api-call.ts";
import { isObject } from "./config-sources.ts";
import type { CliContext } from "./console.ts";
import { listNodes } from "./nodes.ts";
import { parseUrl, URL_HELP } from "./options.ts";
import { printable } from "./printable.ts";

type Options = ApiAccess & { readonly wait?: boolean; readonly undo?: boolean };

const LOOK_MS = 1_000;

const HELP = `
The node stays: it is not ready, and its clients move to the others as fast as those can admit them. Stop its process
when it is empty, or take it back with --undo. The key needs the scope \`cluster\`, which \`*\` does not hold.

Example:
  aldis drain gateway-1 --wait && ssh gateway-1 systemctl restart aldis
`;

export function drainCommand(context: CliContext): Command {
  return new Command("drain")
    .description("move all clients of a node to the other nodes of the cluster")
    .argument("<node>", "its id, or its name if no other node has it; see aldis nodes")
    .option("-w, --wait", "until it has no clients left")
    .option("--undo", "take the node back: it is ready again")
    .option("-u, --url <url>", `any node of the cluster; ${URL_HELP}`, parseUrl)
    .option("-k, --key <key>", KEY_HELP)
    .addHelpText("after", HELP)
    .action((node: string, options: Options) => drain(context, node, options));
}

async function drain(
  context: CliContext,
  node: string,
  { wait, undo, ...access }: Options,
): Promise<void> {
  const path = `/api/cluster/nodes/${encodeURIComponent(node)}/${undo ? "undrain" : "drain"}`;
  const answer = await callApi(context, access, { method: "POST", path });
  context.out(`${JSON.stringify(answer)}\n`);
  const id = isObject(answer) ? answer["node"] : undefined;
  if (wait && !undo && typeof id === "string") await untilEmpty(context, access, id);
}

/** A node that is gone is empty too. Ended by hand, or by the gateway that cannot be reached any more. */
async function untilEmpty(context: CliContext, access: ApiAccess, id: string): Promise<void> {
  for (let before = -1; ; ) {
    const found = (await listNodes(context, access)).find((node) => node.id === id);
    const left = found?.connections ?? 0;
    if (left !== before) context.note(printable(`${id}: ${left} left`));
    if (left === 0) return;
    before = left;
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
}
