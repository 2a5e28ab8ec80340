import { createDemo } from "@aldis/demo";
import type { Config, Gateway } from "@aldis/server";
import { Command } from "commander";
import pc from "picocolors";
import { readConfigFile } from "./config-sources.ts";
import type { CliContext } from "./console.ts";
import { devBanner } from "./dev-banner.ts";
import { createDevSecrets, type DevConfig, type DevOptions, devConfig } from "./dev-config.ts";
import { devLogLine } from "./dev-log.ts";
import { createDevToken } from "./dev-token.ts";
import { pluginFolder, type Setup, setupOf } from "./load-plugins.ts";
import { mintToken, type Signing, signingOf } from "./mint.ts";
import { parsePort } from "./options.ts";
import { reloading } from "./reloading.ts";
import { openGateway } from "./run-gateway.ts";
import { catchSignals } from "./signals.ts";
import { type UnfitStore, watchStore } from "./unfit-store.ts";

const HELP = `
The secret and the API key are made anew at each start; set ALDIS_JWT_SECRET and ALDIS_API_KEY to keep them. It
listens on this machine alone. The \`auth\` section of a config file is left aside. When the config file or a plugin
that it names changes, the gateway starts anew with it; clients come back by themselves.
`;

export function devCommand(context: CliContext): Command {
  return new Command("dev")
    .description("run a gateway to develop with, and its demo page; nothing to set up")
    .option("-p, --port <port>", "port to listen on (default: ALDIS_PORT or 8965)", parsePort)
    .option("--host <address>", "127.0.0.1 or ::1, nothing else")
    .option("-c, --config <file>", "JSON, JSONC, YAML or TOML (default: ALDIS_CONFIG)")
    .option("-q, --quiet", "log warnings and errors alone")
    .addHelpText("after", HELP)
    .action((options: DevOptions) => dev(context, options));
}

async function dev(context: CliContext, options: DevOptions): Promise<void> {
  const { env, out, note } = context;
  const path = (options.config ?? env["ALDIS_CONFIG"]) || undefined;
  const secrets = createDevSecrets();
  const read = async () => {
    const file = path === undefined ? {} : await readConfigFile(path);
    return devConfig({ env, file, options, secrets });
  };
  const folder = pluginFolder(env, path);
  let round = 0;
  const prepare = (config: Config) => setupOf(config, { folder, round: round++ });
  const settings = await read();
  const signing = requireSigning(settings);
  const stopping = catchSignals();
  const unfit = watchStore();
  const open = await createOpener(context, signing, unfit);
  const setup = await prepare(settings.config);
  const first = open(setup);
  const token = await mintToken(signing, {
    user: "dev",
    capabilities: { "*": ["*"] },
    expiresInSeconds: 86_400,
  });
  out(devBanner({ ...settings, url: publicUrl(first.url), token, env }));
  const running = reloading(
    { path, note, open, read: async () => await prepare((await read()).config) },
    { gateway: first, setup },
  );
  try {
    await Promise.race([stopping, unfit.found]);
    note(pc.dim("stopping"));
  } finally {
    await running.close();
  }
}

/** Starts a gateway with the demo page beside it; the page is bundled once. */
async function createOpener({ note }: CliContext, signing: Signing, { onUnfit }: UnfitStore) {
  const demo = await createDemo();
  const devToken = createDevToken(signing);
  return ({ config, plugins }: Setup): Gateway =>
    openGateway({
      config,
      plugins,
      write: (line) => note(devLogLine(line)),
      onUnfit,
      pages: (request, target) => devToken(request, target) ?? demo(request, target.pathname),
    });
}

function requireSigning({ config }: DevConfig): Signing {
  const signing = signingOf(config.auth);
  if (signing === undefined) throw new Error("the preset has a secret");
  return signing;
}

/** `localhost` is what people type, and a secure context in browsers. */
function publicUrl(url: string): string {
  return url.replace("//127.0.0.1:", "//localhost:");
}
