// One request to a push service. The name is resolved here, once, and the connection goes to an address that was checked: a name that means
// another address a moment later (DNS rebinding) gains nothing.
import { lookup as systemLookup } from "node:dns/promises";
import { request as requestHttp } from "node:http";
import { request as requestHttps } from "node:https";
import { isIP } from "node:net";
import type { IsPublicAddress } from "./addresses.ts";

/** `gone`: the subscription has ended. `later`: try again, `afterMs` if the service said. `refused`: it will not be taken. */
export type PostOutcome =
  | { readonly outcome: "taken" | "gone" }
  | { readonly outcome: "later"; readonly afterMs: number | undefined }
  | { readonly outcome: "refused"; readonly status: number };

export type PushRequest = {
  readonly endpoint: string;
  readonly headers: Readonly<Record<string, string | number>>;
  readonly body: Buffer;
};

export type PostDeps = {
  readonly isPublic: IsPublicAddress;
  /** For tests: private addresses and plain HTTP are taken, too. */
  readonly allowPrivate: boolean;
  readonly timeoutMs: number;
  /** Whose certificates are good; undefined: those of the system. */
  readonly ca: string | undefined;
  /** All addresses of a name. */
  resolve(name: string): Promise<readonly string[]>;
};

/** A service that asks for more is not waited for so long. */
const RETRY_AFTER_MAX_MS = 3_600_000;
const URL_MAX = 2_048;

export async function resolveName(name: string): Promise<readonly string[]> {
  return (await systemLookup(name, { all: true })).map(({ address }) => address);
}

/** The address to connect to; undefined: not to be called, for whatever cause. */
export async function addressOf(
  endpoint: string,
  { isPublic, allowPrivate, resolve }: Pick<PostDeps, "isPublic" | "allowPrivate" | "resolve">,
): Promise<string | undefined> {
  const url = endpoint.length <= URL_MAX && URL.canParse(endpoint) ? new URL(endpoint) : undefined;
  if (url === undefined || url.username !== "" || url.password !== "") return undefined;
  if (url.protocol !== "https:" && !(allowPrivate && url.protocol === "http:")) return undefined;
  const name = url.hostname.replace(/^\[|\]$/g, "");
  const addresses = isIP(name) !== 0 ? [name] : await resolve(name);
  // One private address among public ones is enough to reach it now and then.
  if (!allowPrivate && !addresses.every((address) => isPublic(address))) return undefined;
  return addresses[0];
}

/** Never rejects. Redirects are not followed: they would lead past the check. */
export async function post(request: PushRequest, deps: PostDeps): Promise<PostOutcome> {
  let address: string | undefined;
  try {
    address = await addressOf(request.endpoint, deps);
  } catch {
    // The name does not resolve now.
    return { outcome: "later", afterMs: undefined };
  }
  if (address === undefined) return { outcome: "refused", status: 0 };
  return await send(request, { address, timeoutMs: deps.timeoutMs, ca: deps.ca });
}

function send(
  { endpoint, headers, body }: PushRequest,
  { address, timeoutMs, ca }: Pick<PostDeps, "timeoutMs" | "ca"> & { readonly address: string },
): Promise<PostOutcome> {
  return new Promise((resolve) => {
    const url = new URL(endpoint);
    const later = () => resolve({ outcome: "later", afterMs: undefined });
    const family = isIP(address);
    const open = url.protocol === "https:" ? requestHttps : requestHttp;
    const request = open(url, {
      method: "POST",
      headers: { ...headers, "Content-Length": body.length },
      agent: false,
      ...(ca !== undefined && { ca }),
      signal: AbortSignal.timeout(timeoutMs),
      lookup(_name, options, answer) {
        if (options.all) answer(null, [{ address, family }]);
        else answer(null, address, family);
      },
    });
    request.on("error", later);
    request.on("response", (response) => {
      resolve(outcomeOf(response.statusCode ?? 0, response.headers["retry-after"]));
      // What else it says is not read, however much it is.
      response.destroy();
    });
    request.end(body);
  });
}

function outcomeOf(status: number, retryAfter: string | undefined): PostOutcome {
  if (status >= 200 && status < 300) return { outcome: "taken" };
  if (status === 404 || status === 410) return { outcome: "gone" };
  if (status !== 429 && status < 500) return { outcome: "refused", status };
  const seconds = Number(retryAfter);
  const afterMs =
    retryAfter !== undefined && Number.isFinite(seconds) && seconds >= 0
      ? Math.min(seconds * 1_000, RETRY_AFTER_MAX_MS)
      : undefined;
  return { outcome: "later", afterMs };
}
