import { type AldisError, type Client, type ClientState, createClient } from "@aldis/client";
import { Command } from "commander";
import { type CliContext, CliFailure } from "./console.ts";
import { gatewayUrl, parseCount, parseUrl, URL_HELP } from "./options.ts";
import { printable } from "./printable.ts";

type Options = { url?: string; token?: string; last?: number };

const LAST_MAX = 100;

export function subscribeCommand(context: CliContext): Command {
  return new Command("subscribe")
    .description("print messages as they come, one JSON line each; goes on after breaks")
    .argument("<channel...>", "channels, or patterns such as 'orders:*'")
    .option("-u, --url <url>", URL_HELP, parseUrl)
    .option("-t, --token <token>", "who to be (default: ALDIS_TOKEN; without, anonymous)")
    .option("-l, --last <n>", "begin with the latest n messages", parseCount(LAST_MAX))
    .addHelpText("after", '\nExample:\n  aldis subscribe chat:lobby --last 10 --token "$TOKEN"\n')
    .action((channels: string[], options: Options) => subscribe(context, channels, options));
}

/** Runs until SIGINT or SIGTERM, until no subscription is left, or until the gateway does not want this client. */
async function subscribe(
  context: CliContext,
  channels: readonly string[],
  options: Options,
): Promise<void> {
  const token = options.token ?? (context.env["ALDIS_TOKEN"] || undefined);
  const url = `${gatewayUrl(context, options.url)}/ws`;
  const client = createClient({ url, token });
  const ended = new Promise<AldisError | undefined>((resolve) => {
    for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => resolve(undefined));
    // `head` and the like close the pipe when they have enough.
    process.stdout.on("error", () => resolve(undefined));
    client.on("state", (state) => {
      context.note(describe(state));
      if (state.name === "closed") resolve(state.cause);
    });
    client.on("error", (error) => context.note(printable(`error: ${error.message}`)));
    follow(client, channels, { context, last: options.last, onAllEnded: resolve });
  });
  client.connect();
  const cause = await ended;
  client.close();
  if (cause !== undefined) throw new CliFailure(printable(cause.message));
}

type Following = {
  readonly context: CliContext;
  readonly last: number | undefined;
  readonly onAllEnded: (cause: AldisError | undefined) => void;
};

function follow(client: Client, channels: readonly string[], following: Following): void {
  const { context, last, onAllEnded } = following;
  let open = 0;
  for (const channel of new Set(channels)) {
    open += 1;
    const subscription = client.subscribe(channel, { last });
    let again = false;
    subscription.on("subscribed", ({ recovered, position }) => {
      const lost = again && !recovered && position !== undefined;
      context.note(
        lost ? `${channel}: back, but messages may be missing` : `${channel}: subscribed`,
      );
      again = true;
    });
    subscription.on("message", (message) => context.out(`${printable(JSON.stringify(message))}\n`));
    subscription.on("error", (error) => context.note(printable(`${channel}: ${error.message}`)));
    subscription.on("unsubscribed", ({ error }) => {
      open -= 1;
      if (open === 0) onAllEnded(error);
    });
  }
}

function describe(state: ClientState): string {
  switch (state.name) {
    case "idle":
      return "not connected";
    case "connecting":
      return state.attempt === 1 ? "connecting" : `connecting, attempt ${state.attempt}`;
    case "connected":
      return printable(`connected as ${state.user.id}${state.resumed ? ", session resumed" : ""}`);
    case "waiting": {
      const seconds = ((state.nextAttemptAt ?? Date.now()) - Date.now()) / 1000;
      return printable(
        `${state.cause.message}; trying again in ${Math.max(0, seconds).toFixed(1)} s`,
      );
    }
    case "closed":
      return printable(`closed: ${state.cause.message}`);
  }
}
