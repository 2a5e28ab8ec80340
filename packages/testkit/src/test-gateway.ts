import {
  type Clock,
  type ConfigInput,
  type Gateway,
  type GatewayOptions,
  loadConfig,
  type RandomIds,
  startGateway,
} from "@aldis/server";
import { SignJWT } from "jose";
import { RawClient } from "./raw-client.ts";

const SECRET = "a secret that only tests know, long enough";
const API_KEY = "test-api-key-0123456789";

/** A test that is about one of them sets it. */
const NO_RATES = { connectionAttemptsPerMinute: 0, keyGuessesPerMinute: 0 };

/** Every right on every channel. */
export const ALL_RIGHTS = { "*": ["subscribe", "publish", "history", "presence", "send"] };

export type TestGateway = AsyncDisposable & {
  readonly gateway: Gateway;
  /** `http://127.0.0.1:port` */
  readonly url: string;
  /** `ws://127.0.0.1:port/ws` */
  readonly wsUrl: string;
  readonly apiKey: string;
  /** The lines that it logged. */
  readonly logged: string[];
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

// biome-ignore lint/suspicious/noExplicitAny: tests look into bodies of every shape
export type HttpAnswer = { readonly status: number; readonly body: any };

export type TestGatewayOptions = {
  readonly config?: ConfigInput;
  readonly clock?: Clock;
  readonly random?: RandomIds;
  readonly pages?: GatewayOptions["pages"];
};

/** Starts a gateway of its own on a free port of the loopback; `await using` stops it. */
export async function startTestGateway(options: TestGatewayOptions = {}): Promise<TestGateway> {
  const logged: string[] = [];
  const loaded = loadConfig({
    file: {
      listen: { port: 0, host: "127.0.0.1" },
      auth: { jwtSecret: SECRET },
      api: { keys: [{ key: API_KEY }] },
      limits: NO_RATES,
    },
    overrides: options.config,
  });
  if (!loaded.ok) throw new Error(`config: ${JSON.stringify(loaded.problems)}`);
  const { config: _, ...rest } = options;
  const gateway = startGateway({
    config: loaded.config,
    write: (line) => logged.push(line),
    ...rest,
  });
  const nowMs = () => options.clock?.nowMs() ?? Date.now();
  const wsUrl = `${gateway.url.replace(/^http/, "ws")}/ws`;

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
    const response = await fetch(`${gateway.url}${path}`, {
      method,
      headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    return { status: response.status, body: await response.json() };
  }

  return {
    gateway,
    call,
    url: gateway.url,
    wsUrl,
    apiKey: API_KEY,
    logged,
    token,
    connect: async (claims) => RawClient.connect(`${wsUrl}?token=${await token(claims)}`),
    async publish(channel, data, more = {}) {
      const { status, body } = await call("POST", "/api/publish", { channel, data, ...more });
      if (status !== 200) throw new Error(`publish: ${status} ${JSON.stringify(body)}`);
      return body as { offset: number; epoch: string };
    },
    [Symbol.asyncDispose]: () => gateway.close(),
  };
}
