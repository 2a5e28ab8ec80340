import type { Command } from "commander";
import { asAdmin, listIn } from "./admin.ts";
import { type ApiAccess, callAsAdmin } from "./api-call.ts";
import { isObject } from "./config-sources.ts";
import type { CliContext } from "./console.ts";
import { parseCount } from "./options.ts";
import { tableOf } from "./table.ts";

const LIMIT_MAX = 500;

/** Who has changed what. */
export function auditCommand(context: CliContext): Command {
  return asAdmin("audit", "show who has changed what, the latest first")
    .argument("[tenant]", "of this one alone")
    .option("--limit <count>", "how many changes", parseCount(LIMIT_MAX), 50)
    .action(async (tenant: string | undefined, options: ApiAccess & { limit: number }) => {
      const { limit, ...access } = options;
      const of = tenant === undefined ? "" : `&tenant=${encodeURIComponent(tenant)}`;
      const call = { method: "GET", path: `/api/audit?limit=${limit}${of}` } as const;
      const entries = listIn(await callAsAdmin(context, access, call), "entries");
      context.out(tableOf(["AT", "TENANT", "ACTION", "OF", "BY", "DETAIL"], entries.map(rowOf)));
    });
}

function rowOf({ at, tenant, action, subject, by, detail }: Record<string, unknown>): unknown[] {
  const when = typeof at === "number" ? new Date(at).toISOString() : "";
  const more = detail === undefined ? "" : JSON.stringify(detail);
  return [when, tenant, action, subject, authorIn(by), more];
}

function authorIn(by: unknown): string {
  if (!isObject(by)) return "";
  const { key, name, acting } = by;
  const said = name === undefined ? `${key}` : `${key} (${name})`;
  return acting === true ? `${said}, acting` : said;
}
