import type { RequestTarget } from "@aldis/server";
import { mintToken, type Signing } from "./mint.ts";

const PATH = "/dev/token";
const EXPIRES_IN_SECONDS = 3_600;
const NAME_MAX_LENGTH = 64;

/** `GET /dev/token?user=<name>` → `{token, user}` with all rights, for pages of the dev server itself. */
export function createDevToken(
  signing: Signing,
): (request: Request, target: RequestTarget) => Promise<Response> | undefined {
  return (request, target) =>
    target.pathname === PATH ? answer(signing, request, target.query) : undefined;
}

async function answer(
  signing: Signing,
  request: Request,
  query: URLSearchParams,
): Promise<Response> {
  if (request.method !== "GET") return refusal(405, "use GET");
  if (!isOwnPage(request.headers)) return refusal(403, "only pages of this server get a token");
  const user = (query.get("user") ?? "").trim();
  if (!isName(user)) {
    return refusal(400, `\`user\` must be a name of at most ${NAME_MAX_LENGTH} characters`);
  }
  const token = await mintToken(signing, {
    user,
    name: user,
    capabilities: { "*": ["*"] },
    expiresInSeconds: EXPIRES_IN_SECONDS,
  });
  return Response.json({ token, user }, { headers: HEADERS });
}

const HEADERS = {
  "cache-control": "no-store",
  "cross-origin-resource-policy": "same-origin",
  "x-content-type-options": "nosniff",
};

function refusal(status: number, message: string): Response {
  return Response.json({ error: { message } }, { status, headers: HEADERS });
}

const LOCAL_HOST = /^(localhost|127\.0\.0\.1|\[::1\])(:\d{1,5})?$/i;

/**
 * Attacks: DNS rebinding, where a foreign page's own host name has come to mean 127.0.0.1 and only `Host` tells; and any
 * foreign page that asks this server with `fetch`, a form or a script tag, which `Origin` and `Sec-Fetch-Site` tell.
 * Programs on this machine send neither: they could read the terminal, too.
 */
function isOwnPage(headers: Headers): boolean {
  const host = headers.get("host") ?? "";
  if (!LOCAL_HOST.test(host)) return false;
  const origin = headers.get("origin");
  if (origin !== null && !/^https?:\/\//.test(origin)) return false;
  if (origin !== null && origin.replace(/^https?:\/\//, "").toLowerCase() !== host.toLowerCase()) {
    return false;
  }
  const site = headers.get("sec-fetch-site");
  return site === null || site === "same-origin" || site === "none";
}

/** What the gateway takes for a user id, less than it in length; see `isUserId` there. */
function isName(name: string): boolean {
  return (
    name.length > 0 &&
    name.length <= NAME_MAX_LENGTH &&
    !name.startsWith("anon:") &&
    name.isWellFormed() &&
    !/[\p{Cc}\u2028\u2029]/u.test(name)
  );
}
