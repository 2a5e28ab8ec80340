import { createDemo } from "@aldis/demo";
import { Command } from "commander";
import pc from "picocolors";
import { readConfigFile } from "./config-sources.ts";
import type { CliContext } from "./console.ts";
import { devBanner } from "./dev-banner.ts";
import { type DevConfig, type DevOptions, devConfig } from "./dev-config.ts";
import { createDevToken } from "./dev-token.ts";
import { mintToken, type Signing, signingOf } from "./mint.ts";
import { parsePort } from "./options.ts";
import { catchSignals, openGateway } from "./run-gateway.ts";

const HELP = `
The secret and the API key are made anew at each start; set ALDIS_JWT_SECRET and ALDIS_API_KEY to keep them. It
listens on this machine alone. The \`auth\` section of a config file is left aside.
`;

export function devCommand(context: CliContext): Command {
  return new Command("dev")
    .description("run a gateway to develop with, and its demo page; nothing to set up")
    .option("-p, --port <port>", "port to listen on (default: ALDIS_PORT or 8965)", parsePort)
    .option("--host <address>", "127.0.0.1 or ::1, nothing else")
    .option("-c, --config <file>", "JSON, JSONC, YAML or TOML (default: ALDIS_CONFIG)")
    .option("-v, --verbose", "log everything")
    .addHelpText("after", HELP)
    .action((options: DevOptions) => dev(context, options));
}

async function dev(context: CliContext, options: DevOptions): Promise<void> {
  const { env, out, note } = context;
  const path = options.config ?? env["ALDIS_CONFIG"];
  const file = path === undefined || path === "" ? {} : await readConfigFile(path);
  const settings = devConfig({ env, file, options });
  const signing = requireSigning(settings);
  const stopping = catchSignals();
  const demo = await createDemo();
  const devToken = createDevToken(signing);
  const gateway = openGateway({
    config: settings.config,
    write: (line) => note(line.trimEnd()),
    pages: (request, target) => devToken(request, target) ?? demo(request, target.pathname),
  });
  const token = await mintToken(signing, {
    user: "dev",
    capabilities: { "*": ["*"] },
    expiresInSeconds: 86_400,
  });
  out(devBanner({ ...settings, url: publicUrl(gateway.url), token, env }));
  await stopping;
  note(pc.dim("stopping"));
  await gateway.close();
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
