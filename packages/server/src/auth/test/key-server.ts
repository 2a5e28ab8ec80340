import type { JWK } from "jose";

export type KeyServer = {
  readonly url: string;
  readonly requests: number;
  /** What is answered from now on. */
  answer(respond: (request: Request) => Response | Promise<Response>): void;
  serve(keys: readonly JWK[]): void;
  stop(): Promise<void>;
};

/** A provider's key endpoint: a real HTTP server on a free port. */
export function createKeyServer(keys: readonly JWK[]): KeyServer {
  let requests = 0;
  let respond: (request: Request) => Response | Promise<Response> = () => Response.json({ keys });
  const server = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    fetch(request) {
      requests++;
      return respond(request);
    },
  });
  return {
    url: `http://127.0.0.1:${server.port}/jwks.json`,
    get requests() {
      return requests;
    },
    answer(next) {
      respond = next;
    },
    serve(next) {
      respond = () => Response.json({ keys: next });
    },
    stop: () => server.stop(true),
  };
}

/** Turns of the loop until `condition` holds; the test runner's own limit ends a wait in vain. */
export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setImmediate(resolve));
}
