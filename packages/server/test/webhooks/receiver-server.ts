// A receiver of webhooks as a customer would have one: verifies with a library of others', over real HTTP.
import { Webhook } from "standardwebhooks";

export type ReceivedEvent = {
  readonly id: string;
  readonly seq: number;
  readonly type: string;
  readonly tenant: string;
  readonly data: { readonly [name: string]: unknown };
};
export type Received = {
  readonly id: string;
  readonly body: string;
  readonly events: readonly ReceivedEvent[];
};

export type ReceiverServer = AsyncDisposable & {
  readonly url: string;
  readonly got: Received[];
  /** Requests whose signature was wrong, with why. */
  readonly wrong: string[];
  /** Set when the endpoint is known; nothing is verified before. */
  secret: string | undefined;
  /** What it answers; default: 200. */
  answer: (received: Received) => Response | Promise<Response>;
  readonly events: readonly ReceivedEvent[];
};

export function startReceiver(port = 0): ReceiverServer {
  const got: Received[] = [];
  const wrong: string[] = [];
  const receiver = {
    ...{ got, wrong, secret: undefined as string | undefined },
    answer: (): Response | Promise<Response> => new Response("ok"),
    url: "",
    get events() {
      return got.flatMap(({ events }) => events);
    },
    async [Symbol.asyncDispose]() {
      await server.stop(true);
    },
  } satisfies ReceiverServer as ReceiverServer & { url: string };
  const server = Bun.serve({
    ...{ hostname: "127.0.0.1", port },
    async fetch(request) {
      const body = await request.text();
      try {
        if (receiver.secret !== undefined) {
          new Webhook(receiver.secret).verify(body, Object.fromEntries(request.headers));
        }
      } catch (error) {
        wrong.push(String(error));
        return new Response("who are you", { status: 401 });
      }
      const id = request.headers.get("webhook-id") ?? "";
      const received = { id, body, events: JSON.parse(body).events };
      got.push(received);
      return await receiver.answer(received);
    },
  });
  receiver.url = `http://127.0.0.1:${server.port}/hook`;
  return receiver;
}
