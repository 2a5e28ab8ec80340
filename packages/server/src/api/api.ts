// The HTTP API for backends, everything below `/api/`. Called by the listener.
import { refuse } from "@aldis/protocol";
import type { Grant } from "../auth/api-keys.ts";
import { readJsonBody } from "../listen/http-body.ts";
import { refusalResponse } from "../listen/http-errors.ts";
import { requestTarget } from "../listen/request-target.ts";
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
import { connectionRoutes } from "./routes/connections.ts";
import { type NamespaceRouteDeps, namespaceRoutes } from "./routes/namespaces.ts";
import { operationRoutes } from "./routes/operations.ts";
import { publish, publishRoute } from "./routes/publish.ts";
import { TOKEN_PATHS, type TokenRouteDeps, tokenRoutes } from "./routes/tokens.ts";

export type ApiDeps = KeyJudgeDeps &
  OperationDeps &
  NamespaceRouteDeps &
  Omit<ChannelRouteDeps, "cursors"> &
  Omit<TokenRouteDeps, "guesses"> & {
    readonly bodyMaxBytes: number;
    /** Seals cursors. */
    readonly secret: Uint8Array;
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
  const operations = createOperations(deps);
  const withCursors = { ...deps, cursors: createCursors(deps.secret) };
  const app = createApiApp(deps, [
    publishRoute(operations),
    batchRoute(operations),
    ...operationRoutes(operations),
    ...channelRoutes(withCursors),
    ...connectionRoutes(withCursors),
    ...namespaceRoutes(deps),
    ...tokenRoutes(deps),
  ]);
  return { answer: createAnswer(deps, app), page: createApiPages(() => createDocument(app)) };
}

function createAnswer(deps: ApiDeps, app: ReturnType<typeof createApiApp>): Api["answer"] {
  return (request, address, requestId) => {
    const { pathname } = requestTarget(request);
    if (TOKEN_PATHS.has(pathname)) {
      return app.fetch(request, { grant: undefined, address, requestId });
    }
    const judged = judgeKey(deps, request.headers.get("authorization"), address);
    if (!judged.ok) return refusalResponse(judged, { "www-authenticate": "Bearer" });
    const grant = judged.value;
    if (pathname === "/api/publish" && request.method === "POST") {
      return answerPublish(deps, request, { grant, requestId });
    }
    if (!isDecodable(pathname)) {
      return refusalResponse(refuse("bad_request", "the path is not well encoded"));
    }
    return app.fetch(request, { grant, address, requestId });
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
