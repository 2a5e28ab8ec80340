import { isObject } from "./config-sources.ts";
import { type CliContext, CliFailure, EXIT } from "./console.ts";
import { gatewayUrl } from "./options.ts";
import { printable } from "./printable.ts";

/** Options of every command that calls the HTTP API. */
export type ApiAccess = { readonly url?: string; readonly key?: string };

/** For what only the operator may do. */
export const ADMIN_KEY_HELP = "admin key (default: ALDIS_ADMIN_KEY)";

/** As {@link callApi}, with the operator's key. */
export function callAsAdmin(
  context: CliContext,
  { url, key = firstKey(context.env["ALDIS_ADMIN_KEY"]) }: ApiAccess,
  call: ApiCall,
): Promise<unknown> {
  if (key === undefined || key === "") {
    throw new CliFailure("set ALDIS_ADMIN_KEY or give --key", EXIT.usage);
  }
  return callApi(context, { key, ...(url !== undefined && { url }) }, call);
}

export const KEY_HELP = "API key (default: ALDIS_API_KEY)";

export type ApiCall = {
  readonly method: "GET" | "POST" | "PUT" | "DELETE";
  readonly path: string;
  readonly body?: object;
  /** For whom the operator acts; without one, for whose key it is. */
  readonly tenant?: string;
};

const TIMEOUT_MS = 10_000;

/** What the gateway answers with 200; anything else is a `CliFailure`. */
export async function callApi(
  context: CliContext,
  { url, key = firstKey(context.env["ALDIS_API_KEY"]) }: ApiAccess,
  call: ApiCall,
): Promise<unknown> {
  if (key === undefined || key === "") {
    throw new CliFailure("set ALDIS_API_KEY or give --key", EXIT.usage);
  }
  const response = await send(`${gatewayUrl(context, url)}${call.path}`, key, call);
  const answer: unknown = await response.json().catch(() => undefined);
  if (!response.ok) throw new CliFailure(refusalText(response.status, answer));
  return answer;
}

/** The gateway reads several keys from this variable, divided by commas. */
function firstKey(text: string | undefined): string | undefined {
  return text?.split(",")[0]?.trim();
}

async function send(url: string, key: string, call: ApiCall): Promise<Response> {
  const { method, body, tenant } = call;
  try {
    return await fetch(url, {
      method,
      headers: {
        ...{ authorization: `Bearer ${key}`, "content-type": "application/json" },
        ...(tenant !== undefined && { "aldis-tenant": tenant }),
      },
      body: body === undefined ? null : JSON.stringify(body),
      // The key must not follow a redirect to somebody else.
      redirect: "error",
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new CliFailure(`cannot reach ${new URL(url).origin}: ${why}`);
  }
}

function refusalText(status: number, answer: unknown): string {
  const error = isObject(answer) ? answer["error"] : undefined;
  if (!isObject(error)) return `refused with status ${status}`;
  return printable(`refused: ${error["code"]}: ${error["message"]}`);
}
