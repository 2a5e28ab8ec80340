import { Command } from "commander";
import { ADMIN_KEY_NEEDED, asAdmin, listIn, pathOf, show } from "./admin.ts";
import { type ApiAccess, callAsAdmin } from "./api-call.ts";
import { auditCommand } from "./audit.ts";
import { isObject } from "./config-sources.ts";
import type { CliContext } from "./console.ts";
import { parseQuota, QUOTA_HELP, type QuotaWish, quotasCommand, usageCommand } from "./quotas.ts";
import { tableOf } from "./table.ts";

type Fields = Record<string, unknown>;

export function tenantsCommand(context: CliContext): Command {
  const command = new Command("tenants")
    .description("create, list, suspend and delete tenants; their quotas, usage and audit")
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
        .option("--quota <name=number...>", QUOTA_HELP, parseQuota)
        .action(async (id: string, { name, quota: quotas, ...access }: ApiAccess & Wish) => {
          const body = { id, ...(name !== undefined && { name }), ...(quotas && { quotas }) };
          await show(context, access, { method: "POST", path: "/api/tenants", body });
        }),
    )
    .addCommand(quotasCommand(context))
    .addCommand(usageCommand(context))
    .addCommand(auditCommand(context));
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

type Wish = { readonly name?: string; readonly quota?: QuotaWish };

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
