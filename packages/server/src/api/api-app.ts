import { type Refusal, refuse } from "@aldis/protocol";
import { OpenAPIHono } from "@hono/zod-openapi";
import type { Grant } from "../auth/api-keys.ts";
import type { Identity } from "../auth/identity.ts";
import type { TenantAccounts } from "../limits/tenant-accounts.ts";
import { refusalResponse } from "../listen/http-errors.ts";
import { requestTarget } from "../listen/request-target.ts";
import type { Clock } from "../time/clock.ts";
import { type FaultDeps, refusalOfFault } from "./faults.ts";
import { documentOf, type Route, responseOf } from "./route.ts";
import { batchCommand } from "./routes/batch.ts";

export type ApiAppDeps = FaultDeps & {
  readonly bodyMaxBytes: number;
  readonly accounts: TenantAccounts;
  readonly clock: Clock;
};

/** What comes with a request beside itself. */
export type ApiEnv = {
  Bindings: {
    readonly grant: Grant | undefined;
    readonly caller: Identity | undefined;
    readonly address: () => string;
    /** Faults are logged under it. */
    readonly requestId: string;
  };
};

const METHODS = ["GET", "POST", "PUT", "DELETE"] as const;

/** Every route of the API behind one router. Whoever calls `fetch` has judged the key. */
export function createApiApp(deps: ApiAppDeps, routes: readonly Route[]): OpenAPIHono<ApiEnv> {
  // The path as it was sent: decoding it before it is split would let `%2F` make new parts (path tricks).
  const app = new OpenAPIHono<ApiEnv>({ getPath: (request) => requestTarget(request).pathname });
  app.openAPIRegistry.register("BatchCommand", batchCommand);
  for (const route of routes) {
    const { method, path } = route.spec;
    app.openAPIRegistry.registerPath(documentOf(route));
    app.on(method.toUpperCase(), path.replace(/\{(\w+)\}/g, ":$1"), async ({ req, env }) =>
      responseOf(
        await route.answer({
          request: req.raw,
          grant: env.grant,
          caller: env.caller,
          address: env.address,
          params: req.param(),
          bodyMaxBytes: deps.bodyMaxBytes,
          take: (messages, bytes) => takeFor(deps, env, messages, bytes),
        }),
      ),
    );
  }
  app.notFound(({ req }) => noSuchRoute(app, req.path));
  app.onError((error, { env }) => refusalResponse(refusalOfFault(deps, error, env.requestId)));
  return app;
}

function takeFor(
  { accounts, clock }: ApiAppDeps,
  { grant, caller }: ApiEnv["Bindings"],
  messages: number,
  bytes: number,
): Refusal | undefined {
  const tenant = grant?.tenant ?? caller?.tenant;
  if (tenant === undefined) return undefined;
  return accounts.of(tenant).take(messages, bytes, clock.monotonicMs());
}

/** A path that other methods have is 405 and names them (RFC 9110 §15.5.6). */
function noSuchRoute(app: OpenAPIHono<ApiEnv>, path: string): Response {
  const allowed = METHODS.filter((method) => app.router.match(method, path)[0].length > 0);
  if (allowed.length === 0) return refusalResponse(refuse("not_found", "no such route"));
  const refusal = refuse("method_not_allowed", "this path takes other methods");
  return refusalResponse(refusal, { allow: allowed.join(", ") });
}
