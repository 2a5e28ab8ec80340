import { randomBytes } from "node:crypto";
import { hashOfKey } from "@aldis/server";
import { Command } from "commander";
import type { CliContext } from "./console.ts";

const KEY_BYTES = 32;

const HELP = `
The backend gets the key. The gateway needs only its hash, with what the key may be used for:

  "api": { "keys": [{ "hash": "sha256:…", "tenant": "default", "scopes": ["publish", "send"] }] }

Scopes are publish, send, read, control, namespaces and metrics; without any a key may do everything.
`;

/** 256 random bits; the prefix lets scanners of repositories and logs see what was leaked. */
export function keyCommand({ out }: CliContext): Command {
  return new Command("key")
    .description("make an API key for a backend, and the hash of it for the gateway's config")
    .addHelpText("after", HELP)
    .action(() => {
      const key = `aldis_${randomBytes(KEY_BYTES).toString("base64url")}`;
      out(`key:  ${key}\nhash: ${hashOfKey(key)}\n`);
    });
}
