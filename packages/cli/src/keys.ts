import { Command } from "commander";
import { ADMIN_KEY_NEEDED, asAdmin, listIn, pathOf, show } from "./admin.ts";
import { type ApiAccess, callAsAdmin } from "./api-call.ts";
import { type CliContext, CliFailure, EXIT } from "./console.ts";
import { tableOf } from "./table.ts";

type OfTenant = ApiAccess & { readonly tenant: string };

/** Keys that are made while the gateway runs; `aldis key` makes one for its configuration. */
export function keysCommand(context: CliContext): Command {
  return new Command("keys")
    .description("create, list, rotate and revoke API keys of a tenant")
    .addHelpText("after", ADMIN_KEY_NEEDED)
    .addCommand(
      ofTenant("create", "make a key, and print it this once")
        .option("--name <name>", "what you call it")
        .option("--scopes <scopes>", "divided by commas; without any it may do everything")
        .option("--days <days>", "how long it is good")
        .action(async (options: OfTenant & Wish) => {
          const { tenant, name, scopes, days, ...access } = options;
          const body = {
            ...(name !== undefined && { name }),
            ...(scopes !== undefined && { scopes: scopes.split(",").map((one) => one.trim()) }),
            ...(days !== undefined && { expiresAt: Date.now() + inMs(days, DAY_MS) }),
          };
          await show(context, access, { method: "POST", path: `${pathOf(tenant)}/keys`, body });
        }),
    )
    .addCommand(
      ofTenant("list", "list a tenant's keys").action(async ({ tenant, ...access }: OfTenant) => {
        const path = `${pathOf(tenant)}/keys`;
        const answer = await callAsAdmin(context, access, { method: "GET", path });
        context.out(tableOf(HEAD, listIn(answer, "keys").map(rowOf)));
      }),
    )
    .addCommand(
      ofTenant("rotate", "replace a key")
        .argument("<id>")
        .option("--overlap <minutes>", "how long the former one goes on (default: a day)")
        .action(async (id: string, options: OfTenant & { overlap?: string }) => {
          const { tenant, overlap, ...access } = options;
          const body = overlap === undefined ? {} : { overlapMs: inMs(overlap, MINUTE_MS) };
          const path = `${pathOfKey(tenant, id)}/rotate`;
          await show(context, access, { method: "POST", path, body });
        }),
    )
    .addCommand(
      ofTenant("revoke", "revoke a key")
        .argument("<id>")
        .action((id: string, { tenant, ...access }: OfTenant) =>
          show(context, access, { method: "DELETE", path: pathOfKey(tenant, id) }),
        ),
    );
}

type Wish = { readonly name?: string; readonly scopes?: string; readonly days?: string };

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;
const HEAD = ["KEY", "NAME", "SCOPES", "LAST USED", "ENDS"];

function ofTenant(name: string, description: string): Command {
  return asAdmin(name, description).requiredOption("-t, --tenant <tenant>", "whose");
}

function pathOfKey(tenant: string, id: string): string {
  return `${pathOf(tenant)}/keys/${encodeURIComponent(id)}`;
}

function inMs(text: string, unitMs: number): number {
  const count = Number(text);
  if (!(count >= 0) || text.trim() === "") {
    throw new CliFailure(`${text} is no number of days or minutes`, EXIT.usage);
  }
  return Math.round(count * unitMs);
}

function rowOf({ id, name, scopes, lastUsedAt, expiresAt }: Record<string, unknown>): unknown[] {
  const listed = Array.isArray(scopes) ? scopes.join(",") : "";
  return [id, name ?? "", listed, moment(lastUsedAt, "never"), moment(expiresAt, "")];
}

function moment(atMs: unknown, none: string): string {
  return typeof atMs === "number" ? new Date(atMs).toISOString() : none;
}
