import { QUOTA_NAMES, type Quotas } from "@aldis/server";
import { type Command, InvalidArgumentError } from "commander";
import { asAdmin, listIn, pathOf } from "./admin.ts";
import { type ApiAccess, callAsAdmin } from "./api-call.ts";
import { isObject } from "./config-sources.ts";
import { type CliContext, CliFailure } from "./console.ts";
import { parseCount } from "./options.ts";
import { tableOf } from "./table.ts";

/** `null` takes one away. */
export type QuotaWish = { readonly [Q in keyof Quotas]?: number | null };

export const QUOTA_HELP = `one of ${QUOTA_NAMES.join(", ")}, and how much; \`none\`: no quota of its own`;

/** `connections=1000` or `connections=none`, one after another. */
export function parseQuota(text: string, former: QuotaWish = {}): QuotaWish {
  const [, name = "", amount = ""] = /^([A-Za-z]+)=(\d{1,16}|none)$/.exec(text) ?? [];
  const known = QUOTA_NAMES.find((quota) => quota === name);
  const value = amount === "none" ? null : Number(amount);
  if (known === undefined || value === 0 || (value !== null && !Number.isSafeInteger(value))) {
    throw new InvalidArgumentError(`Give ${QUOTA_HELP}: connections=1000.`);
  }
  return { ...former, [known]: value };
}

/** Shows quotas, and sets them. */
export function quotasCommand(context: CliContext): Command {
  return asAdmin("quotas", "show a tenant's quotas, and set those that are given")
    .argument("<tenant>")
    .argument("[name=number...]", QUOTA_HELP, parseQuota)
    .action(async (id: string, wish: QuotaWish | undefined, access: ApiAccess) => {
      const path = pathOf(id);
      if (wish !== undefined && Object.keys(wish).length > 0) {
        await callAsAdmin(context, access, { method: "PUT", path, body: { quotas: wish } });
      }
      const shown = await callAsAdmin(context, access, { method: "GET", path });
      context.out(tableOf(["QUOTA", "OWN", "IN FORCE"], QUOTA_NAMES.map(rowOf(shown))));
    });
}

function rowOf(shown: unknown): (name: keyof Quotas) => unknown[] {
  const among = (field: string) => {
    const quotas = isObject(shown) ? shown[field] : undefined;
    return isObject(quotas) ? quotas : {};
  };
  const [own, inForce] = [among("quotas"), among("quotasInForce")];
  return (name) => [name, own[name] ?? "", inForce[name] ?? "none"];
}

const DAYS_MAX = 400;
const DAY_MS = 86_400_000;

/** What a tenant has used. */
export function usageCommand(context: CliContext): Command {
  return asAdmin("usage", "show what a tenant has used, day by day (UTC)")
    .argument("<tenant>")
    .option("--days <days>", "how many, with today", parseCount(DAYS_MAX), 7)
    .action(async (tenant: string, { days, ...access }: ApiAccess & { days: number }) => {
      // A header takes no more than this, and nobody is called otherwise.
      if (!/^[A-Za-z0-9_-]{1,64}$/.test(tenant)) {
        throw new CliFailure("refused: bad_request: a tenant id has letters, digits, _ and -");
      }
      const from = new Date(Date.now() - Math.max(0, days - 1) * DAY_MS).toISOString().slice(0, 10);
      const call = { method: "GET", path: `/api/usage?from=${from}`, tenant } as const;
      const listed = listIn(await callAsAdmin(context, access, call), "days");
      const rows = listed.map((day) => COLUMNS.map(([, field]) => day[field] ?? ""));
      context.out(
        tableOf(
          COLUMNS.map(([head]) => head),
          rows,
        ),
      );
    });
}

const COLUMNS = [
  ["DAY", "day"],
  ["MESSAGES IN", "messagesIn"],
  ["DELIVERED", "messagesDelivered"],
  ["BYTES IN", "bytesIn"],
  ["BYTES OUT", "bytesOut"],
  ["REFUSED", "refused"],
  ["MINUTES", "connectionMinutes"],
  ["PEAK", "connectionsPeak"],
  ["STORE BYTES", "storeBytes"],
] as const;
