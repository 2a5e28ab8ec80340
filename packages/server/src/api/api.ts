// The HTTP API for backends, everything below `/api/`. Called by the listener.
import { refuse } from "@aldis/protocol";
import type { Grant } from "../auth/api-keys.ts";
import { NOT_JSON, parseJsonBody, refusalOfHead } from "../listen/http-body.ts";
import { refusalResponse } from "../listen/http-errors.ts";
import { PUBLISH_ROUTE } from "../listen/http-route.ts";
import type { Keys } from "../secrets/shared-secret.ts";
import type { TenantId } from "../tenant/tenant.ts";
import { createApiApp } from "./api-app.ts";
import { createApiPages } from "./api-pages.ts";
import { createCursors } from "./cursors.ts";
import { refusalOfFault } from "./faults.ts";
import { judgeKey, type KeyJudgeDeps } from "./judge-key.ts";
import { createDocument } from "./openapi.ts";
import { createOperations, type OperationDeps } from "./operations.ts";
import { NOT_ALLOWED, responseOf } from "./route.ts";
import { batchRoute } from "./routes/batch.ts";
import { type ChannelRouteDeps, channelRoutes } from "./routes/channels.ts";
import { type ClusterRouteDeps, clusterRoutes } from "./routes/cluster.ts";
import { type ConnectionRouteDeps, connectionRoutes } from "./routes/connections.ts";
import { type MovingRouteDeps, movingRoutes } from "./routes/moving.ts";
import { type NamespaceRouteDeps, namespaceRoutes } from "./routes/namespaces.ts";
import { operationRoutes } from "./routes/operations.ts";
import { publish, publishRoute } from "./routes/publish.ts";
import { TOKEN_PATHS, type TokenRouteDeps, tokenRoutes } from "./routes/tokens.ts";

export type ApiDeps = KeyJudgeDeps &
  OperationDeps &
  NamespaceRouteDeps &
  ClusterRouteDeps &
  MovingRouteDeps &
  Omit<ChannelRouteDeps, "cursors"> &
  Omit<ConnectionRouteDeps, "cursors"> &
  Omit<TokenRouteDeps, "guesses"> & {
    readonly bodyMaxBytes: number;
    /** Seal cursors. */
    readonly cursorKeys: Keys;
  };

/** A request as the listener hands it over. */
export type ApiRequest = {
  readonly request: Request;
  readonly target: { readonly pathname: string };
  /** Faults are logged under it. */
  readonly requestId: string;
};

export type Api = {
  /** Everything below `/api/`. `address` says where the request comes from. */
  answer(asked: ApiRequest, address: () => string): Response | Promise<Response>;
  /** What describes the API, for everyone; undefined: not such a page. */
  page(pathname: string): Response | undefined;
};

/**
 * The key is judged before anything else is looked at, so that without one nobody learns what there is. Publishing, the one
 * hot route, goes straight from here; all else through the router.
 */
export function createApi(deps: ApiDeps): Api {
  const operations = createOperations(deps);
  const withCursors = { ...deps, cursors: createCursors(deps.cursorKeys) };
  const app = createApiApp(deps, [
    publishRoute(operations),
    batchRoute(operations),
    ...operationRoutes(operations),
    ...channelRoutes(withCursors),
    ...connectionRoutes(withCursors),
    ...namespaceRoutes(deps),
    ...tokenRoutes(deps),
    ...clusterRoutes(deps),
    ...movingRoutes(deps),
  ]);
  return { answer: createAnswer(deps, app), page: createApiPages(() => createDocument(app)) };
}

function createAnswer(deps: ApiDeps, app: ReturnType<typeof createApiApp>): Api["answer"] {
  return (asked, address) => {
    const { request, target } = asked;
    const { pathname } = target;
    if (TOKEN_PATHS.has(pathname)) {
      return app.fetch(request, { grant: undefined, address, requestId: asked.requestId });
    }
    const judged = judgeKey(deps, request.headers.get("authorization"), address);
    if (!judged.ok) return refusalResponse(judged, { "www-authenticate": "Bearer" });
    const grant = judged.value;
    if (pathname === PUBLISH_ROUTE && request.method === "POST") {
      return answerPublish(deps, asked, grant);
    }
    if (!isDecodable(pathname)) {
      return refusalResponse(refuse("bad_request", "the path is not well encoded"));
    }
    return app.fetch(request, { grant, address, requestId: asked.requestId });
  };
}

/** Hot: one promise, for the body, and the rest in the turn in which that is there. */
function answerPublish(
  deps: ApiDeps,
  asked: ApiRequest,
  grant: Grant,
): Response | Promise<Response> {
  if (!grant.scopes.has("publish")) return refusalResponse(NOT_ALLOWED);
  const { request } = asked;
  const refusal = refusalOfHead(request.headers, deps.bodyMaxBytes);
  if (refusal !== undefined) return refusalResponse(refusal);
  return request.arrayBuffer().then(
    (bytes) => publishBytes(deps, asked, { bytes, tenant: grant.tenant }),
    () => refusalResponse(NOT_JSON),
  );
}

function publishBytes(
  deps: ApiDeps,
  asked: ApiRequest,
  { bytes, tenant }: { readonly bytes: ArrayBuffer; readonly tenant: TenantId },
): Response | Promise<Response> {
  const faulty = (error: unknown) => refusalResponse(refusalOfFault(deps, error, asked.requestId));
  try {
    const body = parseJsonBody(bytes, deps.bodyMaxBytes);
    if (!body.ok) return refusalResponse(body);
    const answer = publish(deps.publisher, tenant, body.value);
    return answer instanceof Promise ? answer.then(responseOf).catch(faulty) : responseOf(answer);
  } catch (error) {
    return faulty(error);
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
