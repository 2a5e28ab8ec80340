import { accept, ERRORS, type ErrorCode, type Refusal, type Result, refuse } from "@aldis/protocol";
import { type RouteConfig, z } from "@hono/zod-openapi";
import type { Grant } from "../auth/api-keys.ts";
import type { Identity } from "../auth/identity.ts";
import type { Scope } from "../auth/scopes.ts";
import { readJsonBody } from "../listen/http-body.ts";
import { refusalResponse } from "../listen/http-errors.ts";
import { requestTarget } from "../listen/request-target.ts";
import type { PluginRouteSpec } from "../plugins/plugin-route.ts";
import { NOT_CREATED } from "../tenant/administration.ts";
import type { ApiAnswer } from "./api-answer.ts";
import { errorAnswer, refusalOf } from "./schemas.ts";

/** Who may call a route: a key with the scope, a key with any, or the bearer of a user's token. */
export type Access = Scope | "any-key" | "user-token";

/** Everything about a route but what it does. The OpenAPI document is made of these. */
export type RouteSpec<P, Q, B> = PluginRouteSpec<P, Q, B, Access>;

/** A request whose key and fields are known to be right. */
export type Call<P, Q, B> = {
  readonly grant: Grant;
  readonly params: P;
  readonly query: Q;
  readonly body: B;
};

/** A request as it comes to a route. `grant` is undefined where a user's token is the credential. */
export type RawCall = {
  readonly request: Request;
  readonly grant: Grant | undefined;
  /** Whose token came in place of a key, on a route that takes both. */
  readonly caller: Identity | undefined;
  readonly params: Readonly<Record<string, string>>;
  readonly bodyMaxBytes: number;
  /** Takes from the tenant's rates; says why it may not. */
  readonly take: (messages: number, bytes: number) => Refusal | undefined;
  /** Where it comes from. */
  readonly address: () => string;
};

export type Route = {
  readonly spec: RouteSpec<z.ZodObject, z.ZodObject, z.ZodType>;
  answer(call: RawCall): Promise<ApiAnswer>;
};

const NOTHING = z.strictObject({});
type Nothing = typeof NOTHING;

/**
 * A route for backends. Its scope is asked, then path, query and body are checked by their schemas, in this order; `run` sees only what
 * passed. Unknown query parameters are refused, so that a filter with a typing error does not list everything.
 */
export function route<
  P extends z.ZodObject = Nothing,
  Q extends z.ZodObject = Nothing,
  B extends z.ZodType = Nothing,
>(
  spec: RouteSpec<P, Q, B>,
  run: (call: Call<z.output<P>, z.output<Q>, z.output<B>>) => ApiAnswer | Promise<ApiAnswer>,
): Route {
  return {
    spec,
    async answer(call) {
      const { grant } = call;
      if (grant === undefined) return NOT_ALLOWED;
      const refusal = refusalOfGrant(grant, spec);
      if (refusal !== undefined) return refusal;
      const read = await readCall(spec, call);
      if (!read.ok) return read;
      return run({ grant, ...read.value });
    },
  };
}

type ReadCall<P, Q, B> = { readonly params: P; readonly query: Q; readonly body: B };

/** Path, query and body, checked by their schemas in this order. */
export async function readCall<P extends z.ZodObject, Q extends z.ZodObject, B extends z.ZodType>(
  spec: Pick<RouteSpec<P, Q, B>, "params" | "query" | "body" | "sends">,
  call: RawCall,
): Promise<Result<ReadCall<z.output<P>, z.output<Q>, z.output<B>>>> {
  const params = check(spec.params, call.params);
  if (!params.ok) return params;
  const query = check(spec.query, queryOf(call.request));
  if (!query.ok) return query;
  const body = await bodyOf(spec, call);
  if (!body.ok) return body;
  return accept({ params: params.value, query: query.value, body: body.value });
}

/** Without a schema nothing is taken; its output type is then that of nothing too. */
function check<S extends z.ZodType>(schema: S | undefined, value: unknown): Result<z.output<S>> {
  const checked = (schema ?? NOTHING).safeParse(value);
  return checked.success ? accept(checked.data as z.output<S>) : refusalOf(checked.error);
}

async function bodyOf<B extends z.ZodType>(
  { body: schema, sends }: { readonly body?: B; readonly sends?: "message" | "messages" },
  { request, bodyMaxBytes, take }: RawCall,
): Promise<Result<z.output<B>>> {
  if (schema === undefined) return check<B>(schema, {});
  // Nothing was sent, and nothing has to be: `curl -X POST` will do.
  if (request.body === null && !request.headers.has("content-type")) {
    const none = schema.safeParse({});
    if (none.success) return accept(none.data);
  }
  const read = await readJsonBody(request, bodyMaxBytes, (bytes) =>
    sends === undefined ? undefined : take(sends === "message" ? 1 : 0, bytes),
  );
  return read.ok ? check(schema, read.value) : read;
}

/** One answer for every key with too little scope: it does not tell which one is missing. */
export const NOT_ALLOWED = refuse("forbidden", "this key may not do that");

/** Why a key may not call a route; undefined: it may. */
export function refusalOfGrant(
  grant: Grant,
  { access, settles }: Pick<RouteSpec<unknown, unknown, unknown>, "access" | "settles">,
): Refusal | undefined {
  if (!mayCall(grant, access)) return NOT_ALLOWED;
  return settles === true && grant.acting === "named" ? NOT_CREATED : undefined;
}

export function mayCall(grant: Grant, access: Access): boolean {
  return access === "any-key" || (access !== "user-token" && grant.scopes.has(access));
}

/** A parameter that comes twice is a list, which no schema takes: which of the two counts would be a guess. */
function queryOf(request: Request): Record<string, string | string[]> {
  const { query } = requestTarget(request);
  const fields = Object.create(null) as Record<string, string | string[]>;
  for (const [name, value] of query) {
    const former = fields[name];
    fields[name] = former === undefined ? value : [value];
  }
  return fields;
}

/** JSON text that a route has put together itself, of texts that were encoded before. */
export class JsonText {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

/** Copied into each answer: as `Headers`, which is cheaper than from a plain object. */
const JSON_ANSWER = { headers: new Headers({ "content-type": "application/json" }) };

export function responseOf(answer: ApiAnswer): Response {
  if (!answer.ok) return refusalResponse(answer);
  const { value } = answer;
  const text = value instanceof JsonText ? value.text : JSON.stringify(value);
  return new Response(text, JSON_ANSWER);
}

/** `forbidden`: the tenant is suspended; `not_found`: the one that the header `Aldis-Tenant` names is not there. */
const ALWAYS: readonly ErrorCode[] = [
  "bad_request",
  "unauthorized",
  "forbidden",
  "not_found",
  "rate_limited",
  "internal",
];

/** A route's entry in the OpenAPI document. */
export function documentOf({ spec }: Route): RouteConfig {
  const codes = new Set<ErrorCode>([...ALWAYS, ...(spec.refusals ?? [])]);
  if (spec.body !== undefined) codes.add("too_large").add("unsupported_media");
  const { method, path, summary, description, tag, access } = spec;
  return {
    method,
    path,
    summary,
    description,
    tags: [tag],
    operationId: operationId(method, path),
    security: securityOf(spec),
    "x-access": access,
    ...(spec.example !== undefined && { "x-example": spec.example }),
    request: {
      ...(spec.params !== undefined && { params: spec.params }),
      ...(spec.query !== undefined && { query: spec.query }),
      ...(spec.body !== undefined && { body: requestBody(spec.body, spec.example?.body) }),
    },
    responses: {
      200: {
        description: "Done.",
        content: { "application/json": { schema: spec.answer } },
      },
      ...refusalsOf(codes),
    },
  } as RouteConfig;
}

function securityOf({ access, users }: Route["spec"]): NonNullable<RouteConfig["security"]> {
  if (access === "user-token") return [{ userToken: [] }];
  return users === true ? [{ apiKey: [] }, { userToken: [] }] : [{ apiKey: [] }];
}

function requestBody(schema: z.ZodType, example: object | undefined) {
  const media = example === undefined ? { schema } : { schema, example };
  return { required: true, content: { "application/json": media } };
}

function refusalsOf(codes: ReadonlySet<ErrorCode>): RouteConfig["responses"] {
  const byStatus = new Map<number, ErrorCode[]>();
  for (const code of codes) {
    const { status } = ERRORS[code];
    byStatus.set(status, [...(byStatus.get(status) ?? []), code]);
  }
  const entries = [...byStatus].sort(([a], [b]) => a - b);
  return Object.fromEntries(
    entries.map(([status, listed]) => [
      status,
      {
        description: listed.map((code) => `\`${code}\`: ${ERRORS[code].means}.`).join(" "),
        content: { "application/json": { schema: errorAnswer } },
      },
    ]),
  );
}

/** `post /api/users/{user}/send` → `postUsersUserSend`. */
function operationId(method: string, path: string): string {
  const words = path.split(/[^A-Za-z0-9]+/).filter((word) => word !== "" && word !== "api");
  return method + words.map((word) => word.charAt(0).toUpperCase() + word.slice(1)).join("");
}
