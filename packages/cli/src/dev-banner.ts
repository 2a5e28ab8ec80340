import { delimiter } from "node:path";
import pc from "picocolors";
import type { CliContext } from "./console.ts";
import type { DevConfig } from "./dev-config.ts";
import { readVersion } from "./version.ts";

export type BannerParts = DevConfig & {
  readonly url: string;
  readonly token: string;
  readonly env: CliContext["env"];
};

/** What `dev` says once it runs: where it is, and two commands that work when they are pasted. */
export function devBanner(parts: BannerParts): string {
  const { url, env, token } = parts;
  const at = new URL(url).port === "8965" ? "" : ` --url ${url}`;
  const subscribe = `${bunCommand(env)} aldis subscribe chat:lobby${at} --token ${token}`;
  return `
  ${pc.bold(pc.green("Aldis"))} ${readVersion()} ${pc.dim("for development, on this machine alone")}

  ${pc.bold("Open")}  ${pc.cyan(url)}  ${pc.dim("in two tabs and talk to yourself")}
  ${pc.bold("Read")}  ${pc.cyan(`${url}/docs`)}  ${pc.dim("the HTTP API for backends")}

  ${pc.bold("Or watch the channel from a second terminal, in this folder")} ${pc.dim("(as user dev, who may do everything for 24 h)")}

${subscribe}

  ${pc.bold("and publish from a third, as your backend would")}

${publishLine(parts)}
${remarks(parts)}
`;
}

function publishLine({ url, config, ownKey }: BannerParts): string {
  const [first] = config.api.keys;
  // A key of the environment is perhaps one of production: it is named here, never shown.
  const key = ownKey ? first?.key : "$ALDIS_API_KEY";
  return `curl ${url}/api/publish -H "Authorization: Bearer ${key}" -H "Content-Type: application/json" -d '{"channel":"chat:lobby","event":"say","data":{"text":"Hello from my backend"}}'`;
}

function remarks({ ownSecret, config }: BannerParts): string {
  const { store, broker } = config;
  const url = store.url ?? (broker === "memory" ? "sqlite:aldis.db" : "none");
  const [kind, path] = [url.slice(0, url.indexOf(":")), url.slice(url.indexOf(":") + 1)];
  const records =
    kind === "sqlite" ? [`Rooms and notifications are in ${path}: delete it to start anew.`] : [];
  const lines = ownSecret
    ? ["Key and token end with this run. Ctrl-C stops it."]
    : [
        "Tokens are signed with your ALDIS_JWT_SECRET: they hold wherever it does. Ctrl-C stops it.",
      ];
  return [...records, ...lines].map((line) => `\n  ${pc.dim(line)}`).join("");
}

/**
 * `bun`, or `npx bun` where only this project's own one was on the path: the other terminal does not have that. Folders that
 * `npx` and `bun run` put in front of the path are not the user's.
 */
function bunCommand(env: CliContext["env"]): string {
  const folders = (env["PATH"] ?? "").split(delimiter);
  const own = folders.filter((folder) => !/node_modules[\\/]|[\\/]bun-node-/.test(folder));
  return Bun.which("bun", { PATH: own.join(delimiter) }) === null ? "npx bun" : "bun";
}
