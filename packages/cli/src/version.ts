import { Command } from "commander";
import packageJson from "../package.json" with { type: "json" };
import type { CliContext } from "./console.ts";

export function readVersion(): string {
  return packageJson.version;
}

export function versionCommand({ out }: CliContext): Command {
  return new Command("version").description("print the versions of aldis and bun").action(() => {
    out(`aldis ${readVersion()} (bun ${Bun.version}, ${process.platform} ${process.arch})\n`);
  });
}
