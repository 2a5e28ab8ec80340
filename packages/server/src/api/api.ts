// The HTTP API for backends, everything below `/api/`. Called by the listener.
import { refuse } from "@aldis/protocol";
import type { ApiKeys, Grant } from "../auth/api-keys.ts";
import type { Namespaces } from "../channel/namespaces.ts";
import type { Publisher } from "../channel/publisher.ts";
import type { KeyGuesses } from "../limits/key-guesses.ts";
import { readJsonBody } from "../listen/http-body.ts";
import { refusalResponse } from "../listen/http-errors.ts";
import { requestTarget } from "../listen/request-target.ts";
import type { Counters } from "../observe/counters.ts";
import type { Log } from "../observe/log.ts";
import type { TenantId } from "../tenant/tenant.ts";
import { createApiApp, refusalOfFault } from "./api-app.ts";
import { createApiPages } from "./api-pages.ts";
import { judgeKey } from "./judge-key.ts";
import { createDocument } from "./openapi.ts";
import { NOT_ALLOWED, responseOf } from "./route.ts";
import { namespaceRoutes } from "./routes/namespaces.ts";
import { publish, publishRoute } from "./routes/publish.ts";

export type ApiDeps = {
  readonly keys: ApiKeys;
  readonly guesses: KeyGuesses;
  readonly publisher: Publisher;
  readonly namespaces: Namespaces;
  readonly counters: Counters;
  readonly log: Log;
  readonly bodyMaxBytes: number;
  /** Told after a tenant's namespaces have changed. */
  readonly onNamespaceChange: (tenant: TenantId) => void;
};

export type Api = {
  /** Everything below `/api/`. `address` says where the request comes from; faults are logged under `requestId`. */
  answer(request: Request, address: () => string, requestId: string): Response | Promise<Response>;
  /** What describes the API, for everyone; undefined: not such a page. */
  page(pathname: string): Response | undefined;
};

/**
 * The key is judged before anything else is looked at, so that without one nobody learns what there is. Publishing, the one
 * hot route, goes straight from here; all else through the router.
 */
export function createApi(deps: ApiDeps): Api {
  const app = createApiApp(deps, [publishRoute(deps), ...namespaceRoutes(deps)]);
  return { answer: createAnswer(deps, app), page: createApiPages(() => createDocument(app)) };
}

function createAnswer(deps: ApiDeps, app: ReturnType<typeof createApiApp>): Api["answer"] {
  return (request, address, requestId) => {
    const judged = judgeKey(deps, request.headers.get("authorization"), address);
    if (!judged.ok) return refusalResponse(judged, { "www-authenticate": "Bearer" });
    const grant = judged.value;
    const { pathname } = requestTarget(request);
    if (pathname === "/api/publish" && request.method === "POST") {
      return answerPublish(deps, request, { grant, requestId });
    }
    if (!isDecodable(pathname)) {
      return refusalResponse(refuse("bad_request", "the path is not well encoded"));
    }
    return app.fetch(request, { grant, requestId });
  };
}

async function answerPublish(
  deps: ApiDeps,
  request: Request,
  { grant, requestId }: { readonly grant: Grant; readonly requestId: string },
): Promise<Response> {
  if (!grant.scopes.has("publish")) return refusalResponse(NOT_ALLOWED);
  try {
    const body = await readJsonBody(request, deps.bodyMaxBytes);
    if (!body.ok) return refusalResponse(body);
    return responseOf(await publish(deps.publisher, grant.tenant, body.value));
  } catch (error) {
    return refusalResponse(refusalOfFault(deps, error, requestId));
  }
}

/** Broken percent-encoding names nothing. */
function isDecodable(pathname: string): boolean {
  if (!pathname.includes("%")) return true;
  try {
    decodeURIComponent(pathname);
    return true;
  } catch {
    return false;
  }
}
