import { Command, CommanderError } from "commander";
import pc from "picocolors";
import { configCommand } from "./config.ts";
import { type CliContext, CliFailure, EXIT } from "./console.ts";
import { devCommand } from "./dev.ts";
import { drainCommand } from "./drain.ts";
import { keyCommand } from "./key.ts";
import { keysCommand } from "./keys.ts";
import { nodesCommand } from "./nodes.ts";
import { publishCommand } from "./publish.ts";
import { gatewayCommand, startCommand, workerCommand } from "./start.ts";
import { subscribeCommand } from "./subscribe.ts";
import { tenantsCommand } from "./tenants.ts";
import { tokenCommand } from "./token.ts";
import { readVersion, versionCommand } from "./version.ts";

const EXAMPLES = `
Examples:
  aldis dev                                          try it: no settings needed
  aldis token --user ann --capability 'chat:*=subscribe,publish'
  aldis subscribe chat:lobby --token "$TOKEN"        print messages as they come
  aldis publish chat:lobby '{"text":"hello"}' --key "$ALDIS_API_KEY"
  ALDIS_JWT_SECRET="$(openssl rand -base64 32)" aldis start
`;

/** Runs one command line and gives its exit code. */
export async function run(args: readonly string[], context: CliContext): Promise<number> {
  try {
    await createProgram(context).parseAsync(args, { from: "user" });
    return EXIT.done;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.done : EXIT.usage;
    if (!(error instanceof CliFailure)) throw error;
    context.note(`${pc.red("aldis:")} ${error.message}`);
    return error.exitCode;
  }
}

function createProgram(context: CliContext): Command {
  const program = new Command("aldis")
    .description("Aldis, a self-hosted real-time gateway")
    .version(readVersion(), "-V, --version", "print the version")
    .exitOverride()
    .configureOutput({ writeOut: context.out, writeErr: (text) => context.note(text.trimEnd()) })
    .showHelpAfterError("Add --help to see what there is.")
    .addHelpText("after", EXAMPLES);
  const commands = [
    devCommand,
    startCommand,
    gatewayCommand,
    workerCommand,
    configCommand,
    tokenCommand,
    keyCommand,
    publishCommand,
    subscribeCommand,
    nodesCommand,
    drainCommand,
    tenantsCommand,
    keysCommand,
    versionCommand,
  ];
  for (const create of commands) {
    const command = create(context).copyInheritedSettings(program);
    for (const inner of command.commands) inner.copyInheritedSettings(command);
    program.addCommand(command);
  }
  return program;
}
