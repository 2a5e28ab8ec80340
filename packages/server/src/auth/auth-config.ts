// The `auth` section of the gateway's config: who may connect, and how that is proven.
import { listOf } from "./auth-fields.ts";
import { authProblems } from "./auth-rules.ts";
import { type AuthConfig, authFields } from "./auth-sections.ts";

export type { AuthConfig, Provider } from "./auth-sections.ts";

/** Fields and the rules between them. Messages name what is wrong and never show a value. */
export const authSchema = authFields.superRefine((config, context) => {
  for (const { path, message } of authProblems(config)) {
    context.addIssue({ code: "custom", path: [...path], message });
  }
});

/** Whether any token can be verified: `start` refuses to run without (P7). */
export function hasAuthentication(config: AuthConfig): boolean {
  return (
    listOf(config.jwtSecret).length > 0 ||
    listOf(config.publicKey).length > 0 ||
    config.jwks.url !== undefined ||
    config.provider !== undefined
  );
}
