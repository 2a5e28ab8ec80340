// The HTTP API for backends, everything below `/api/`. Called by the listener.
import { type Refusal, refuse } from "@aldis/protocol";
import type { Grant } from "../auth/api-keys.ts";
import type { Identity } from "../auth/identity.ts";
import { refuseFor } from "../limits/refuse-for.ts";
import type { TenantAccount } from "../limits/tenant-account.ts";
import type { TenantAccounts } from "../limits/tenant-accounts.ts";
import { NOT_JSON, parseJsonBody, refusalOfHead } from "../listen/http-body.ts";
import { refusalResponse } from "../listen/http-errors.ts";
import { PUBLISH_ROUTE } from "../listen/http-route.ts";
import type { HostedRoute } from "../plugins/host/plugin-routes.ts";
import type { Keys } from "../secrets/shared-secret.ts";
import type { TenantId } from "../tenant/tenant.ts";
import type { RegisteredTenants } from "../tenant/tenants.ts";
import type { Clock } from "../time/clock.ts";
import { actFor, TENANT_HEADER } from "./act-for.ts";
import { createApiApp } from "./api-app.ts";
import { createApiPages } from "./api-pages.ts";
import { type Cursors, createCursors } from "./cursors.ts";
import { refusalOfFault } from "./faults.ts";
import { judgeKey, type KeyJudgeDeps } from "./judge-key.ts";
import { judgeToken, type TokenJudgeDeps } from "./judge-token.ts";
import { createDocument } from "./openapi.ts";
import { createOperations, type OperationDeps } from "./operations.ts";
import { createUserPaths, pluginApiRoute } from "./plugin-routes.ts";
import { NOT_ALLOWED, type Route, responseOf } from "./route.ts";
import { auditRoute } from "./routes/audit.ts";
import { batchRoute } from "./routes/batch.ts";
import { type ChannelRouteDeps, channelRoutes } from "./routes/channels.ts";
import { type ClusterRouteDeps, clusterRoutes } from "./routes/cluster.ts";
import { type ConnectionRouteDeps, connectionRoutes } from "./routes/connections.ts";
import { type MovingRouteDeps, movingRoutes } from "./routes/moving.ts";
import { type NamespaceRouteDeps, namespaceRoutes } from "./routes/namespaces.ts";
import { operationRoutes } from "./routes/operations.ts";
import { publish, publishRoute } from "./routes/publish.ts";
import { tenantKeyRoutes } from "./routes/tenant-keys.ts";
import { type TenantRouteDeps, tenantRoutes } from "./routes/tenants.ts";
import { tokenSecretRoutes } from "./routes/token-secrets.ts";
import { TOKEN_PATHS, tokenRoutes } from "./routes/tokens.ts";
import { type UsageRouteDeps, usageRoutes } from "./routes/usage.ts";

export type ApiDeps = KeyJudgeDeps &
  OperationDeps &
  NamespaceRouteDeps &
  ClusterRouteDeps &
  MovingRouteDeps &
  UsageRouteDeps &
  Omit<ChannelRouteDeps, "cursors"> &
  Omit<ConnectionRouteDeps, "cursors"> &
  Omit<TokenJudgeDeps, "guesses"> & {
    readonly bodyMaxBytes: number;
    readonly clock: Clock;
    readonly accounts: TenantAccounts;
    readonly tenants: RegisteredTenants;
    /** Undefined: there is no store to keep tenants in. */
    readonly tenantRouteDeps: Omit<TenantRouteDeps, "cursors"> | undefined;
    /** Seal cursors. */
    readonly cursorKeys: Keys;
    readonly pluginRoutes: readonly HostedRoute[];
    /** Takes one from the messages of a user who calls by themselves. Returns how long they must wait; 0: it counts. */
    readonly takeMessage: (user: Identity) => number;
  };

/** A request as the listener hands it over. */
export type ApiRequest = {
  readonly request: Request;
  readonly target: { readonly pathname: string };
  /** Faults are logged under it. */
  readonly requestId: string;
  /** Told as soon as it is known whose request it is. */
  account: TenantAccount | undefined;
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
  const { pluginRoutes } = deps;
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
    ...usageRoutes(deps),
    ...routesOfTenants(deps, withCursors.cursors),
    ...pluginRoutes.map(pluginApiRoute),
  ]);
  return {
    answer: createAnswer(deps, app),
    page: createApiPages(() => createDocument(app, pluginRoutes)),
  };
}

function routesOfTenants({ tenantRouteDeps }: ApiDeps, cursors: Cursors): Route[] {
  if (tenantRouteDeps === undefined) return [];
  const deps = { ...tenantRouteDeps, cursors };
  return [
    ...tenantRoutes(deps),
    ...tenantKeyRoutes(deps),
    ...tokenSecretRoutes(deps),
    auditRoute(deps),
  ];
}

/** The key, and for which tenant it acts. */
function judgeCaller(
  deps: ApiDeps,
  { headers }: Request,
  address: () => string,
): ReturnType<typeof judgeKey> {
  const judged = judgeKey(deps, headers.get("authorization"), address);
  return judged.ok ? actFor(deps, judged.value, headers.get(TENANT_HEADER)) : judged;
}

function createAnswer(deps: ApiDeps, app: ReturnType<typeof createApiApp>): Api["answer"] {
  const isForUsers = createUserPaths(deps.pluginRoutes);
  return (asked, address) => {
    const { request, target, requestId } = asked;
    const { pathname } = target;
    if (TOKEN_PATHS.has(pathname)) {
      return app.fetch(request, { grant: undefined, caller: undefined, address, requestId });
    }
    if (pathname !== PUBLISH_ROUTE && isForUsers(request.method, pathname)) {
      return answerUserOrKey(deps, app, asked, address);
    }
    const judged = judgeCaller(deps, request, address);
    if (!judged.ok) return refuseCaller(judged);
    const grant = judged.value;
    const account = countRequest(deps, asked, grant.tenant);
    if (pathname === PUBLISH_ROUTE && request.method === "POST") {
      return answerPublish(deps, asked, { grant, account });
    }
    if (!isDecodable(pathname)) {
      return refusalResponse(refuse("bad_request", "the path is not well encoded"));
    }
    return app.fetch(request, { grant, caller: undefined, address, requestId });
  };
}

/** A route that users may call as well: what is no API key is judged as a token. Both count as guesses when they are wrong. */
async function answerUserOrKey(
  deps: ApiDeps,
  app: ReturnType<typeof createApiApp>,
  asked: ApiRequest,
  address: () => string,
): Promise<Response> {
  const { request, target, requestId } = asked;
  if (!isDecodable(target.pathname)) {
    return refusalResponse(refuse("bad_request", "the path is not well encoded"));
  }
  if (deps.keys.grantOf(request.headers.get("authorization")) !== undefined) {
    const judged = judgeCaller(deps, request, address);
    if (!judged.ok) return refuseCaller(judged);
    countRequest(deps, asked, judged.value.tenant);
    return app.fetch(request, { grant: judged.value, caller: undefined, address, requestId });
  }
  const verdict = await judgeToken(deps, request, address);
  if ("error" in verdict) return refuseCaller(verdict);
  if (!verdict.ok)
    return refusalResponse(refuse("unauthorized", "the token is refused"), CHALLENGE);
  const { tenant } = verdict.identity;
  countRequest(deps, asked, tenant);
  const waitMs = deps.takeMessage(verdict.identity);
  if (waitMs > 0)
    return refusalResponse(refuseFor("rate_limited", "you send too many messages", waitMs));
  return app.fetch(request, { grant: undefined, caller: verdict.identity, address, requestId });
}

function countRequest(deps: ApiDeps, asked: ApiRequest, tenant: TenantId): TenantAccount {
  const account = deps.accounts.of(tenant);
  account.apiRequests++;
  asked.account = account;
  return account;
}

/** With the challenge where other credentials would help. */
function refuseCaller(refusal: Refusal): Response {
  return refusalResponse(refusal, refusal.error === "not_found" ? {} : CHALLENGE);
}

const CHALLENGE = { "www-authenticate": "Bearer" };

/** Hot: one promise, for the body, and the rest in the turn in which that is there. */
function answerPublish(
  deps: ApiDeps,
  asked: ApiRequest,
  { grant, account }: { readonly grant: Grant; readonly account: TenantAccount },
): Response | Promise<Response> {
  if (!grant.scopes.has("publish")) return refusalResponse(NOT_ALLOWED);
  const { request } = asked;
  // Before the body is read: a noisy tenant's refusals are to cost the others nothing.
  const refusal =
    account.messageRefusal(1, nowFor(deps, account)) ??
    refusalOfHead(request.headers, deps.bodyMaxBytes);
  if (refusal !== undefined) return refusalResponse(refusal);
  return request.arrayBuffer().then(
    (bytes) => publishBytes(deps, asked, { bytes, account, tenant: grant.tenant }),
    () => refusalResponse(NOT_JSON),
  );
}

type Publishing = {
  readonly bytes: ArrayBuffer;
  readonly account: TenantAccount;
  readonly tenant: TenantId;
};

function publishBytes(
  deps: ApiDeps,
  asked: ApiRequest,
  { bytes, account, tenant }: Publishing,
): Response | Promise<Response> {
  const faulty = (error: unknown) => refusalResponse(refusalOfFault(deps, error, asked.requestId));
  try {
    const over = account.take(1, bytes.byteLength, nowFor(deps, account));
    if (over !== undefined) return refusalResponse(over);
    const body = parseJsonBody(bytes, deps.bodyMaxBytes);
    if (!body.ok) return refusalResponse(body);
    const answer = publish(deps.publisher, tenant, body.value);
    return answer instanceof Promise ? answer.then(responseOf).catch(faulty) : responseOf(answer);
  } catch (error) {
    return faulty(error);
  }
}

/** The clock is not read for a tenant without rates, where nothing goes by it. */
function nowFor({ clock }: ApiDeps, { isRated }: TenantAccount): number {
  return isRated ? clock.monotonicMs() : 0;
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
