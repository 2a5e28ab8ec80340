import { Command } from "commander";
import { ADMIN_KEY_HELP, type ApiAccess, type ApiCall, callAsAdmin } from "./api-call.ts";
import { isObject } from "./config-sources.ts";
import { type CliContext, CliFailure } from "./console.ts";
import { parseUrl, URL_HELP } from "./options.ts";
import { tableOf } from "./table.ts";

export const ADMIN_KEY_NEEDED =
  "\nNeeds an admin key: ALDIS_ADMIN_KEY of the gateway, or one that names the scope `tenants`.\n";

type Fields = Record<string, unknown>;

export function tenantsCommand(context: CliContext): Command {
  const command = new Command("tenants")
    .description("create, list, suspend and delete tenants")
    .addHelpText("after", ADMIN_KEY_NEEDED);
  command
    .addCommand(
      asAdmin("list", "list the tenants").action(async (access: ApiAccess) => {
        context.out(tableOf(HEAD, (await allTenants(context, access)).map(rowOf)));
      }),
    )
    .addCommand(
      asAdmin("create", "create a tenant")
        .argument("<tenant>")
        .option("--name <name>", "what you call it")
        .action(async (id: string, { name, ...access }: ApiAccess & { name?: string }) => {
          const body = { id, ...(name !== undefined && { name }) };
          await show(context, access, { method: "POST", path: "/api/tenants", body });
        }),
    );
  for (const { verb, method, suffix, says } of ON_ONE) {
    command.addCommand(
      asAdmin(verb, says)
        .argument("<tenant>")
        .action((id: string, access: ApiAccess) =>
          show(context, access, { method, path: `${pathOf(id)}${suffix}` }),
        ),
    );
  }
  return command;
}

const ON_ONE = [
  { verb: "show", method: "GET", suffix: "", says: "show a tenant with its quotas" },
  { verb: "suspend", method: "POST", suffix: "/suspend", says: "let nobody of a tenant in" },
  { verb: "resume", method: "POST", suffix: "/resume", says: "let a suspended tenant in again" },
  { verb: "delete", method: "DELETE", suffix: "", says: "delete a tenant and all that it has" },
] as const;

const HEAD = ["TENANT", "STATUS", "NAME", "QUOTAS"];

function rowOf({ id, status, name, quotas, configured }: Fields): unknown[] {
  const own = isObject(quotas) ? Object.entries(quotas) : [];
  const said = own.map(([quota, value]) => `${quota}=${value}`).join(" ");
  return [id, configured === true ? `${status} (configured)` : status, name ?? "", said];
}

/** Page by page. */
async function allTenants(context: CliContext, access: ApiAccess): Promise<Fields[]> {
  const all: Fields[] = [];
  for (let cursor = ""; ; ) {
    const path = `/api/tenants?limit=500${cursor}`;
    const page = await callAsAdmin(context, access, { method: "GET", path });
    all.push(...listIn(page, "tenants"));
    const next = isObject(page) ? page["next"] : undefined;
    if (typeof next !== "string") return all;
    cursor = `&cursor=${encodeURIComponent(next)}`;
  }
}

/** A subcommand with what all of them take. */
export function asAdmin(name: string, description: string): Command {
  return new Command(name)
    .description(description)
    .option("-u, --url <url>", URL_HELP, parseUrl)
    .option("-k, --key <key>", ADMIN_KEY_HELP);
}

export function pathOf(tenant: string): string {
  return `/api/tenants/${encodeURIComponent(tenant)}`;
}

export function listIn(answer: unknown, name: string): Fields[] {
  const list = isObject(answer) ? answer[name] : undefined;
  if (!Array.isArray(list)) throw new CliFailure(`the gateway gave an answer without ${name}`);
  return list.filter(isObject);
}

/** Prints what the gateway answers. */
export async function show(context: CliContext, access: ApiAccess, call: ApiCall): Promise<void> {
  context.out(`${JSON.stringify(await callAsAdmin(context, access, call), null, 2)}\n`);
}
