import { SignJWT } from "jose";
import { RawClient } from "./raw-client.ts";

export const SECRET = "a secret that only tests know, long enough";
export const API_KEY = "test-api-key-0123456789";

/** Every right on every channel. */
export const ALL_RIGHTS = { "*": ["subscribe", "publish", "history", "presence", "send"] };

// biome-ignore lint/suspicious/noExplicitAny: tests look into bodies of every shape
export type HttpAnswer = { readonly status: number; readonly body: any };

/** How tests reach a gateway, wherever it runs. */
export type GatewayAccess = {
  /** `http://127.0.0.1:port` */
  readonly url: string;
  /** `ws://127.0.0.1:port/ws` */
  readonly wsUrl: string;
  readonly apiKey: string;
  /** A signed token; claims given replace the defaults (user `ann`, all rights, an hour). */
  token(claims?: Record<string, unknown>): Promise<string>;
  /** A raw client that is connected as the bearer of such a token. */
  connect(claims?: Record<string, unknown>): ReturnType<typeof RawClient.connect>;
  /** `POST /api/publish` with the key; fails the test when it is refused. */
  publish(
    channel: string,
    data: unknown,
    more?: object,
  ): Promise<{ offset: number; epoch: string }>;
  /** A call of the HTTP API with the key, or with another one; `body` goes as JSON. Refusals are answers like others. */
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

  async function call(
    method: string,
    path: string,
    body?: unknown,
    key = API_KEY,
  ): Promise<HttpAnswer> {
    const response = await fetch(`${url}${path}`, {
      method,
      headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    return { status: response.status, body: await response.json() };
  }

  return {
    url,
    wsUrl,
    apiKey: API_KEY,
    token,
    call,
    connect: async (claims) => RawClient.connect(`${wsUrl}?token=${await token(claims)}`),
    async publish(channel, data, more = {}) {
      const { status, body } = await call("POST", "/api/publish", { channel, data, ...more });
      if (status !== 200) throw new Error(`publish: ${status} ${JSON.stringify(body)}`);
      return body as { offset: number; epoch: string };
    },
  };
}
