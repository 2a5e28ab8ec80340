// What commands of the operator have in common.
import { Command } from "commander";
import { ADMIN_KEY_HELP, type ApiAccess, type ApiCall, callAsAdmin } from "./api-call.ts";
import { isObject } from "./config-sources.ts";
import { type CliContext, CliFailure } from "./console.ts";
import { parseUrl, URL_HELP } from "./options.ts";

export const ADMIN_KEY_NEEDED =
  "\nNeeds an admin key: ALDIS_ADMIN_KEY of the gateway, or one that names the scope `tenants`.\n";

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

export function listIn(answer: unknown, name: string): Record<string, unknown>[] {
  const list = isObject(answer) ? answer[name] : undefined;
  if (!Array.isArray(list)) throw new CliFailure(`the gateway gave an answer without ${name}`);
  return list.filter(isObject);
}

/** Prints what the gateway answers. */
export async function show(context: CliContext, access: ApiAccess, call: ApiCall): Promise<void> {
  context.out(`${JSON.stringify(await callAsAdmin(context, access, call), null, 2)}\n`);
}
