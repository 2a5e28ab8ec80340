import { authWarnings } from "../auth/auth-rules.ts";
import { apiWarnings } from "./api-schema.ts";
import type { ConfigProblem } from "./load.ts";
import type { Config } from "./schema.ts";

/** What is allowed and yet hardly meant; told at each start. */
export function configWarnings({ auth, api }: Config): readonly ConfigProblem[] {
  const warnings: ConfigProblem[] = authWarnings(auth).map(({ path, message }) => ({
    path: ["auth", ...path].join("."),
    message,
  }));
  for (const { path, message } of apiWarnings(api)) warnings.push({ path: `api.${path}`, message });
  if (auth.jwks.timeoutMs > auth.timeoutMs) {
    const message = "is longer than auth.timeoutMs: connections end before a slow key set has come";
    warnings.push({ path: "auth.jwks.timeoutMs", message });
  }
  return warnings;
}
