import { type Config, loadConfig } from "@aldis/server";
import { Command, InvalidArgumentError, Option } from "commander";
import { gatewayEnvironment, problemsFailure, readConfigFile } from "./config-sources.ts";
import { type CliContext, CliFailure, EXIT } from "./console.ts";
import { mintToken, type Signing, signingOf } from "./mint.ts";
import { parseDuration } from "./options.ts";

type Rights = Readonly<Record<string, readonly string[]>>;

type Options = {
  user: string;
  tenant?: string;
  name?: string;
  email?: string;
  expires: number;
  capability?: Rights;
  secret?: string;
};

const HELP = `
Examples:
  aldis token --user ann --capability 'chat:*=subscribe,publish,history,presence'
  aldis token --user ann --tenant acme --expires 7d --capability '*=*'

Rights are subscribe, publish, history, presence and send; * is all of them. Without --capability a token grants
only what namespaces allow to every user.
`;

export function tokenCommand(context: CliContext): Command {
  return new Command("token")
    .description("make a token (HS256) for a user; prints the token alone")
    .requiredOption("-u, --user <id>", "who it is for")
    .option("-t, --tenant <id>", "the tenant; without, `default`")
    .option("-n, --name <name>", "name that others see")
    .option("--email <address>", "e-mail address")
    .addOption(
      new Option("-e, --expires <time>", "how long it holds: 90s, 15m, 1h, 7d")
        .argParser(parseDuration)
        .default(3_600, "1h"),
    )
    .option(
      "-c, --capability <channels=rights>",
      "what it allows, as chat:*=subscribe,publish; may be repeated",
      addCapability,
    )
    .option("--secret <secret>", "what to sign with (default: ALDIS_JWT_SECRET)")
    .addHelpText("after", HELP)
    .action((options: Options) => printToken(context, options));
}

const RIGHTS = ["subscribe", "publish", "history", "presence", "send", "*"];

/** Channel names may hold `=`, rights may not: the last one divides them. */
function addCapability(text: string, before: Rights = {}): Rights {
  const at = text.lastIndexOf("=");
  const channels = text.slice(0, Math.max(0, at));
  const rights = text.slice(at + 1).split(",");
  if (channels === "") throw new InvalidArgumentError("Give it as chat:*=subscribe,publish.");
  const unknown = rights.find((right) => !RIGHTS.includes(right));
  if (unknown !== undefined) {
    throw new InvalidArgumentError(`\`${unknown}\` is no right; there are ${RIGHTS.join(", ")}.`);
  }
  return { ...before, [channels]: [...(before[channels] ?? []), ...rights] };
}

async function printToken(context: CliContext, options: Options): Promise<void> {
  const { user, tenant, name, email, expires, capability } = options;
  const signing = await findSigning(context.env, options.secret);
  if (capability === undefined) {
    context.note("note: without --capability this token grants no channels by itself");
  }
  const token = await mintToken(signing, {
    user,
    tenant,
    name,
    email,
    capabilities: capability,
    expiresInSeconds: expires,
  });
  context.out(`${token}\n`);
}

/** The same settings as the gateway's decide: secret, issuer and audience. */
async function findSigning(env: CliContext["env"], given: string | undefined): Promise<Signing> {
  const auth = await readAuth(env, given);
  const signing = signingOf(auth);
  if (signing !== undefined) return signing;
  throw new CliFailure(
    "set ALDIS_JWT_SECRET or give --secret, the same as the gateway's",
    EXIT.usage,
  );
}

async function readAuth(
  env: CliContext["env"],
  given: string | undefined,
): Promise<Config["auth"]> {
  const path = env["ALDIS_CONFIG"];
  const file = path === undefined || path === "" ? {} : await readConfigFile(path);
  const loaded = loadConfig({
    file: "auth" in file ? { auth: file["auth"] } : {},
    environment: Object.fromEntries(
      Object.entries(gatewayEnvironment(env)).filter(([name]) =>
        /^ALDIS_(AUTH_|JWT_SECRET$)/.test(name),
      ),
    ),
    overrides: given === undefined ? {} : { auth: { jwtSecret: given } },
  });
  if (!loaded.ok) throw problemsFailure(loaded.problems);
  return loaded.config.auth;
}
