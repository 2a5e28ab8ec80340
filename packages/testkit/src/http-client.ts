import { type Conformance, createConformance } from "./conformance.ts";

// biome-ignore lint/suspicious/noExplicitAny: tests look into bodies of every shape
export type HttpAnswer = { readonly status: number; readonly body: any };

export type HttpInit = {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: BodyInit | undefined;
};

export type HttpClient = (
  path: string,
  init?: HttpInit,
) => Promise<HttpAnswer & { readonly headers: Headers }>;

/** `fetch` that fails the test when an answer is not as the gateway's own OpenAPI document says. */
export function createHttpClient(url: string, apiKey: string): HttpClient {
  let conformance: Promise<Conformance> | undefined;

  async function loadConformance(): Promise<Conformance> {
    return createConformance(await (await fetch(`${url}/openapi.json`)).text());
  }

  return async (path, { method = "GET", headers, body } = {}) => {
    const response = await fetch(`${url}${path}`, {
      method,
      headers: { authorization: `Bearer ${apiKey}`, ...headers },
      ...(body !== undefined && { body }),
    });
    const { status } = response;
    const text = await response.text();
    const { pathname } = new URL(path, url);
    const contentType = response.headers.get("content-type");
    conformance ??= loadConformance();
    const exchange = { method, pathname, status, contentType, text };
    const problem = (await conformance).problemOf(exchange);
    if (problem !== undefined) throw new Error(`${method} ${path}: ${problem}: ${text}`);
    return { status, headers: response.headers, body: text === "" ? undefined : JSON.parse(text) };
  };
}
