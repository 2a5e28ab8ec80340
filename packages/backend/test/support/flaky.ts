import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";

export type FlakyProxy = AsyncDisposable & {
  readonly url: string;
  /** What came through: method and path, and the body. */
  readonly seen: readonly { readonly route: string; readonly body: string }[];
  /** Of the next `count` requests: lets the gateway do them and then breaks the connection before the answer. */
  dropAnswers(count: number): void;
  /** Of the next `count` requests: lets the gateway do them, and then says nothing. */
  swallowAnswers(count: number): void;
  /** The next `count` requests never reach the gateway, and get no answer: none at all, or the beginning of one. */
  hang(count: number, how: "silent" | "stalled"): void;
  /** The next `count` requests are answered so, and never reach the gateway. */
  answer(count: number, status: number, headers: Record<string, string>, body: string): void;
};

type Trouble =
  | { status: number; headers: Record<string, string>; body: string }
  | "drop"
  | "swallow"
  | "silent"
  | "stalled";

function forwarded(
  target: string,
  { method = "GET", url, headers }: IncomingMessage,
  body: string,
) {
  const { authorization = "", "content-type": type = "" } = headers;
  const init = { method, headers: { authorization, "content-type": type } };
  return fetch(`${target}${url}`, { ...init, ...(body !== "" && { body }) });
}

/** A real HTTP server before a gateway that fails as networks and proxies do. */
export async function startFlakyProxy(target: string): Promise<FlakyProxy> {
  const seen: { route: string; body: string }[] = [];
  const troubles: Trouble[] = [];
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const body = Buffer.concat(chunks).toString();
    const method = request.method ?? "GET";
    seen.push({ route: `${method} ${request.url}`, body });
    const trouble = troubles.shift();
    if (typeof trouble === "object") {
      response.writeHead(trouble.status, trouble.headers).end(trouble.body);
      return;
    }
    if (trouble === "silent") return;
    if (trouble === "stalled") {
      response.writeHead(200, { "content-type": "application/json" }).write("{");
      return;
    }
    const answer = await forwarded(target, request, body);
    const text = await answer.text();
    if (trouble === "swallow") return;
    if (trouble === "drop") {
      request.socket.destroy();
      return;
    }
    response.writeHead(answer.status, { "content-type": "application/json" }).end(text);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const add = (count: number, trouble: Trouble) => {
    for (let i = 0; i < count; i++) troubles.push(trouble);
  };
  return {
    url: `http://127.0.0.1:${port}`,
    seen,
    swallowAnswers: (count) => add(count, "swallow"),
    dropAnswers: (count) => add(count, "drop"),
    hang: (count, how) => add(count, how),
    answer: (count, status, headers, body) => add(count, { status, headers, body }),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
