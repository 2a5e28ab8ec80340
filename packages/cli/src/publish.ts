import { Command } from "commander";
import { type ApiAccess, callApi, KEY_HELP } from "./api-call.ts";
import type { CliContext } from "./console.ts";
import { parseJson, parseUrl, URL_HELP } from "./options.ts";

type Options = ApiAccess & { event?: string; idempotencyKey?: string };

export function publishCommand(context: CliContext): Command {
  return new Command("publish")
    .description("publish a message as a backend does; prints the gateway's answer")
    .argument("<channel>", "such as chat:lobby")
    .argument("<json>", `the data, as JSON: '{"text":"hello"}'`, parseJson)
    .option("-u, --url <url>", URL_HELP, parseUrl)
    .option("-k, --key <key>", KEY_HELP)
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
  { event, idempotencyKey, ...access }: Options,
): Promise<void> {
  const body = { ...message, event, idempotencyKey };
  const answer = await callApi(context, access, { method: "POST", path: "/api/publish", body });
  context.out(`${JSON.stringify(answer)}\n`);
}
