import { createECDH, randomBytes } from "node:crypto";
import { hashOfKey, SCOPES } from "@aldis/server";
import { Command } from "commander";
import type { CliContext } from "./console.ts";

const KEY_BYTES = 32;

const HELP = `
The backend gets the key. The gateway needs only its hash, with what the key may be used for:

  "api": { "keys": [{ "hash": "sha256:…", "tenant": "default", "scopes": ["publish", "send"] }] }

Scopes are ${SCOPES.join(", ")}; without any a key may do everything but "cluster", and "metrics" where several tenants have keys.
`;

/** 256 random bits; the prefix lets scanners of repositories and logs see what was leaked. */
export function keyCommand({ out }: CliContext): Command {
  return new Command("key")
    .description("make an API key for a backend, and the hash of it for the gateway's config")
    .addHelpText("after", HELP)
    .action(() => {
      const key = `aldis_${randomBytes(KEY_BYTES).toString("base64url")}`;
      out(`key:  ${key}\nhash: ${hashOfKey(key)}\n`);
    })
    .addCommand(vapidCommand(out));
}

const VAPID_HELP = `
Browsers subscribe with the public key, and take Web Push from nobody else then: keep the pair.

  "notifications": { "push": { "subject": "mailto:ops@example.com", "publicKey": "…", "privateKey": "…" } }
`;

/** A pair of keys as RFC 8292 has them. */
function vapidCommand(out: CliContext["out"]): Command {
  return new Command("vapid")
    .description("make the pair of keys that Web Push wants (notifications.push)")
    .addHelpText("after", VAPID_HELP)
    .action(() => {
      const pair = createECDH("prime256v1");
      const publicKey = pair.generateKeys("base64url");
      // Seldom it begins with zeros, which are left out of it.
      const privateKey = pair.getPrivateKey("hex").padStart(64, "0");
      const secret = Buffer.from(privateKey, "hex").toString("base64url");
      out(`publicKey:  ${publicKey}\nprivateKey: ${secret}\n`);
    });
}
