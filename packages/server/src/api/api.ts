import { accept, FieldError, type Refusal, type Result, refuse } from "@aldis/protocol";
import type { ApiKeys } from "../auth/api-keys.ts";
import { BrokerUnavailable } from "../broker/broker.ts";
import type { Namespaces } from "../channel/namespaces.ts";
import type { Publisher } from "../channel/publisher.ts";
import type { KeyGuesses } from "../limits/key-guesses.ts";
import { refuseFor } from "../limits/refuse-for.ts";
import { readJsonBody } from "../listen/http-body.ts";
import { refusalResponse } from "../listen/http-errors.ts";
import { requestTarget } from "../listen/request-target.ts";
import { type Counters, countOne } from "../observe/counters.ts";
import type { Log } from "../observe/log.ts";
import type { TenantId } from "../tenant/tenant.ts";
import type { ApiAnswer } from "./api-answer.ts";
import { deleteNamespace, listNamespaces, putNamespace } from "./namespace-routes.ts";
import { publishRoute } from "./publish-route.ts";

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

/** A request whose key is known to be right. */
type Call = {
  readonly tenant: TenantId;
  readonly request: Request;
  readonly pathname: string;
  readonly bodyMaxBytes: number;
};

/**
 * The HTTP API for backends, everything below `/api/`. The key is judged before anything else is looked at, so
 * that without one nobody learns what there is.
 */
export function createApi(
  deps: ApiDeps,
): (request: Request, address: () => string) => Promise<Response> {
  return async (request, address) => {
    const judged = judgeKey(deps, request.headers.get("authorization"), address);
    if (!judged.ok) return refusalResponse(judged, { "www-authenticate": "Bearer" });
    const tenant = judged.value;
    try {
      const answer = await answerCall(deps, {
        tenant,
        request,
        pathname: requestTarget(request).pathname,
        bodyMaxBytes: deps.bodyMaxBytes,
      });
      return answer.ok ? Response.json(answer.value) : refusalResponse(answer);
    } catch (error) {
      return refusalResponse(refusalOf(deps, error));
    }
  };
}

/** Attack: guessing keys; beyond so many wrong ones from an address none is judged (LI3). */
function judgeKey(
  { keys, guesses, counters }: ApiDeps,
  authorization: string | null,
  address: () => string,
): Result<TenantId> {
  const waitMs = authorization === null ? 0 : guesses.waitMs(authorization, address);
  if (waitMs > 0) {
    countOne(counters.rateLimited, "key_guesses");
    return refuseFor("rate_limited", "too many wrong API keys from your address", waitMs);
  }
  const tenant = keys.tenantOf(authorization);
  if (authorization !== null) {
    if (tenant === undefined) guesses.noteWrong(address);
    else guesses.noteRight(authorization, address);
  }
  if (tenant !== undefined) return accept(tenant);
  counters.apiKeysRefused++;
  return refuse("unauthorized", "send a valid API key as `Authorization: Bearer <key>`");
}

function answerCall(deps: ApiDeps, call: Call): ApiAnswer | Promise<ApiAnswer> {
  const { pathname, request } = call;
  const { method } = request;
  if (pathname === "/api/publish" && method === "POST") {
    return withBody(call, (body) => publishRoute(deps.publisher, call.tenant, body));
  }
  if (pathname === "/api/namespaces" && method === "GET") {
    return listNamespaces(deps.namespaces, call.tenant);
  }
  const name = /^\/api\/namespaces\/([^/]+)$/.exec(pathname)?.[1];
  if (name !== undefined) return answerNamespace(deps, call, decodeName(name));
  return refuse("not_found", "no such route");
}

async function answerNamespace(deps: ApiDeps, call: Call, name: string): Promise<ApiAnswer> {
  const { namespaces } = deps;
  const { tenant, request } = call;
  let answer: ApiAnswer;
  if (request.method === "DELETE") {
    answer = deleteNamespace(namespaces, tenant, name);
  } else if (request.method === "PUT") {
    answer = await withBody(call, (body) => putNamespace(namespaces, tenant, { name, body }));
  } else {
    return refuse("not_found", "no such route");
  }
  if (answer.ok) deps.onNamespaceChange(tenant);
  return answer;
}

async function withBody(
  call: Call,
  answer: (body: Readonly<Record<string, unknown>>) => ApiAnswer | Promise<ApiAnswer>,
): Promise<ApiAnswer> {
  const body = await readJsonBody(call.request, call.bodyMaxBytes);
  return body.ok ? answer(body.value) : body;
}

/** Broken percent-encoding is no name at all; the grammar refuses what is left. */
function decodeName(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return "";
  }
}

function refusalOf(deps: ApiDeps, error: unknown): Refusal {
  if (error instanceof FieldError) return error.refusal;
  if (error instanceof BrokerUnavailable) return refuse("unavailable", "try again");
  deps.counters.faults++;
  deps.log.error({ err: error }, "request failed");
  return refuse("internal", "a fault of the gateway");
}
