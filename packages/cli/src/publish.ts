import { Command } from "commander";
import { isObject } from "./config-sources.ts";
import { type CliContext, CliFailure, EXIT } from "./console.ts";
import { gatewayUrl, parseJson, parseUrl, URL_HELP } from "./options.ts";
import { printable } from "./printable.ts";

type Options = { url?: string; key?: string; event?: string; idempotencyKey?: string };

const TIMEOUT_MS = 10_000;

export function publishCommand(context: CliContext): Command {
  return new Command("publish")
    .description("publish a message as a backend does; prints the gateway's answer")
    .argument("<channel>", "such as chat:lobby")
    .argument("<json>", `the data, as JSON: '{"text":"hello"}'`, parseJson)
    .option("-u, --url <url>", URL_HELP, parseUrl)
    .option("-k, --key <key>", "API key (default: ALDIS_API_KEY)")
    .option("-e, --event <name>", "name of the event")
    .option("--idempotency-key <key>", "publishing again with the same key has no second effect")
    .addHelpText("after", `\nExample:\n  aldis publish chat:lobby '{"text":"hello"}' --event say\n`)
    .action((channel: string, data: unknown, options: Options) =>
      publish(context, { channel, data }, options),
    );
}

async function publish(
  context: CliContext,
  message: { readonly channel: string; readonly data: unknown },
  { url, key = firstKey(context.env["ALDIS_API_KEY"]), event, idempotencyKey }: Options,
): Promise<void> {
  if (key === undefined || key === "") {
    throw new CliFailure("set ALDIS_API_KEY or give --key", EXIT.usage);
  }
  const base = gatewayUrl(context, url);
  const response = await post(`${base}/api/publish`, key, { ...message, event, idempotencyKey });
  const answer: unknown = await response.json().catch(() => undefined);
  if (!response.ok) throw new CliFailure(refusalText(response.status, answer));
  context.out(`${JSON.stringify(answer)}\n`);
}

/** The gateway reads several keys from this variable, divided by commas. */
function firstKey(text: string | undefined): string | undefined {
  return text?.split(",")[0]?.trim();
}

async function post(url: string, key: string, body: object): Promise<Response> {
  try {
    return await fetch(url, {
      method: "POST",
      headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
      body: JSON.stringify(body),
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
