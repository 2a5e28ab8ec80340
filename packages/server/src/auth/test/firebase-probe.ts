// Run by firebase-revocation.test.ts as a process of its own: firebase-admin reads
// FIREBASE_AUTH_EMULATOR_HOST from the environment. Reads requests as JSON lines, answers with causes.
import { systemClock } from "../../time/clock.ts";
import { authSchema } from "../auth-config.ts";
import { createTokenVerifier } from "../create-token-verifier.ts";

type Probe = { readonly config: unknown; readonly tokens: readonly string[] };

const probe: Probe = await Bun.stdin.json();
const verifier = createTokenVerifier(authSchema.parse(probe.config), { clock: systemClock });
const causes: string[] = [];
for (const token of probe.tokens) {
  const verdict = await verifier.verify(token);
  causes.push(verdict.ok ? "accepted" : verdict.cause);
}
await Bun.write(Bun.stdout, JSON.stringify(causes));
verifier.close();
// A lookup that is never answered would hold the process until the library gives up on it.
process.exit(0);
