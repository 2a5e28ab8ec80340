import { configReference, explainConfig } from "@aldis/server";
import { Command } from "commander";
import type { CliContext } from "./console.ts";
import { pluginFolder, setupOf } from "./load-plugins.ts";
import { printable } from "./printable.ts";
import {
  configPathOf,
  type ProductionOptions,
  productionConfig,
  readProduction,
} from "./production-config.ts";

const HELP = `
Examples:
  aldis config check --config aldis.yaml    before a deploy: 0, or 78 with everything that is wrong
  aldis config show                         what is in force, and where each value comes from
`;

export function configCommand(context: CliContext): Command {
  const command = new Command("config").description("check, show or explain the configuration");
  const file = [
    "-c, --config <file>",
    "JSON, JSONC, YAML or TOML (default: ALDIS_CONFIG)",
  ] as const;
  command
    .command("check")
    .description("tell everything that `start` would refuse; exit code 0 or 78")
    .option(...file)
    .action((options: ProductionOptions) => check(context, options));
  command
    .command("show")
    .description("print each value in force and where it comes from, without secrets")
    .option(...file)
    .option("--changed", "only what is not a default")
    .action((options: ShowOptions) => show(context, options));
  command
    .command("docs")
    .description("print the reference of all settings, as Markdown")
    .action(() => context.out(configReference()));
  return command.addHelpText("after", HELP);
}

async function check(context: CliContext, options: ProductionOptions): Promise<void> {
  const { env } = context;
  const { config, warnings } = productionConfig(await readProduction(env, options));
  await setupOf(config, { folder: pluginFolder(env, configPathOf(env, options)) });
  for (const { path, message } of warnings) context.note(`warning: ${path}: ${message}`);
  context.out("the configuration is in order\n");
}

type ShowOptions = ProductionOptions & { changed?: true };

async function show(context: CliContext, options: ShowOptions): Promise<void> {
  const sources = await readProduction(context.env, options);
  const { config } = productionConfig(sources);
  const values = explainConfig(config, sources).filter(
    ({ source }) => options.changed === undefined || source !== "default",
  );
  const width = Math.max(0, ...values.map(({ path }) => path.length));
  for (const value of values) {
    const text = value.secret ? "[redacted]" : JSON.stringify(value.value);
    const from = value.source === "environment" ? value.variable : value.source;
    context.out(`${printable(`${value.path.padEnd(width)}  ${text}  (${from})`)}\n`);
  }
}
