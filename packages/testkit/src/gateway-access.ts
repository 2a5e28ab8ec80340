import { SignJWT } from "jose";
import { createHttpClient, type HttpAnswer, type HttpClient } from "./http-client.ts";
import { RawClient } from "./raw-client.ts";

export const SECRET = "a secret that only tests know, long enough";
export const API_KEY = "test-api-key-0123456789abcdef";

/** Every right on every channel. */
export const ALL_RIGHTS = { "*": ["subscribe", "publish", "history", "presence", "send"] };

/** How tests reach a gateway, wherever it runs. */
export type GatewayAccess = {
  /** `http://127.0.0.1:port` */
  readonly url: string;
  /** `ws://127.0.0.1:port/ws` */
  readonly wsUrl: string;
  readonly apiKey: string;
  /** A signed token; claims given replace the defaults (user `ann`, all rights, an hour). */
  token(claims?: Record<string, unknown>): Promise<string>;
  /** A raw client that is connected as the bearer of such a token; `protocols` are the subprotocols that it offers. */
  connect(
    claims?: Record<string, unknown>,
    protocols?: string | string[],
  ): ReturnType<typeof RawClient.connect>;
  /** `POST /api/publish` with the key; fails the test when it is refused. */
  publish(
    channel: string,
    data: unknown,
    more?: object,
  ): Promise<{ offset: number; epoch: string }>;
  /**
   * `fetch` with the key, unless `init` has another `authorization`. What is not as the gateway's own OpenAPI document says fails the
   * test: so every test of the HTTP API is one of the document too.
   */
  readonly http: HttpClient;
  /** The same with a body as JSON, and another key perhaps. Refusals are answers like others. */
  call(method: string, path: string, body?: unknown, key?: string): Promise<HttpAnswer>;
};

/** `nowMs`: by whose clock tokens end. */
export function accessTo(url: string, nowMs: () => number = Date.now): GatewayAccess {
  const wsUrl = `${url.replace(/^http/, "ws")}/ws`;

  async function token(claims: Record<string, unknown> = {}): Promise<string> {
    const exp = Math.floor(nowMs() / 1000) + 3600;
    return await new SignJWT({ sub: "ann", capabilities: ALL_RIGHTS, exp, ...claims })
      .setProtectedHeader({ alg: "HS256" })
      .sign(new TextEncoder().encode(SECRET));
  }

  const http = createHttpClient(url, API_KEY);

  async function call(
    method: string,
    path: string,
    body?: unknown,
    key = API_KEY,
  ): Promise<HttpAnswer> {
    const headers = { authorization: `Bearer ${key}`, "content-type": "application/json" };
    const answer = await http(path, { method, headers, body: JSON.stringify(body) });
    return { status: answer.status, body: answer.body };
  }

  return {
    url,
    wsUrl,
    apiKey: API_KEY,
    token,
    http,
    call,
    connect: async (claims, protocols) =>
      RawClient.connect(`${wsUrl}?token=${await token(claims)}`, protocols),
    async publish(channel, data, more = {}) {
      const { status, body } = await call("POST", "/api/publish", { channel, data, ...more });
      if (status !== 200) throw new Error(`publish: ${status} ${JSON.stringify(body)}`);
      return body as { offset: number; epoch: string };
    },
  };
}
