import { AldisError } from "@aldis/client";

/** A token for whatever name, from the dev server. What is refused stays refused: the client then stops. Without an answer it tries again. */
export async function fetchToken(name: string, signal: AbortSignal): Promise<string> {
  const response = await fetch(`/dev/token?user=${encodeURIComponent(name)}`, { signal });
  const body: { token?: unknown; error?: { message?: string } } = await response.json();
  if (response.ok && typeof body.token === "string") return body.token;
  throw new AldisError("token_failed", body.error?.message ?? `status ${response.status}`, {
    temporary: response.status >= 500,
  });
}
