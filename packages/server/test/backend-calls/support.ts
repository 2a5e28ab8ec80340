import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ConfigInput } from "@aldis/server";
import {
  createFakeClock,
  type FakeClock,
  startTestGateway,
  type TestGateway,
} from "@aldis/testkit";
import { Webhook } from "standardwebhooks";

export type Asked = {
  readonly headers: Headers;
  // biome-ignore lint/suspicious/noExplicitAny: what tests compare with what they expect
  readonly body: any;
};

export type TestBackend = AsyncDisposable & {
  readonly url: string;
  readonly port: number;
  readonly asked: Asked[];
  /** Requests that have no answer yet. */
  readonly underWay: number;
  /** The most that were under way at a time. */
  readonly mostUnderWay: number;
  secret: string;
  /** Requests whose signature was not right. */
  readonly forged: string[];
  answer: (asked: Asked["body"], request: Request) => unknown;
};

/** A backend that verifies what it is asked, by the scheme's own library; anything but a `Response` becomes JSON. */
export function startBackend(answer: TestBackend["answer"], nowMs: () => number): TestBackend {
  const asked: Asked[] = [];
  const forged: string[] = [];
  let underWay = 0;
  let most = 0;
  const server = Bun.serve({
    ...{ port: 0, hostname: "127.0.0.1", idleTimeout: 60 },
    async fetch(request) {
      most = Math.max(most, ++underWay);
      try {
        const text = await request.text();
        const { headers } = request;
        if (!isSigned(text, headers)) forged.push(text);
        const body = JSON.parse(text);
        asked.push({ headers, body });
        const said = await backend.answer(body, request);
        return said instanceof Response ? said : Response.json(said);
      } finally {
        underWay--;
      }
    },
  });
  function isSigned(text: string, headers: Headers): boolean {
    try {
      const { timestamp, ...rest } = signatureIn(headers);
      if (Math.abs(Number(timestamp) * 1_000 - nowMs()) > 10_000) return false;
      const signed = new Webhook(backend.secret).sign(
        rest.id,
        new Date(Number(timestamp) * 1_000),
        text,
      );
      return signed === rest.signature;
    } catch {
      return false;
    }
  }
  const backend: TestBackend = {
    url: `http://127.0.0.1:${server.port}/aldis`,
    port: server.port ?? 0,
    ...{ asked, forged, answer, secret: "" },
    get underWay() {
      return underWay;
    },
    get mostUnderWay() {
      return most;
    },
    [Symbol.asyncDispose]: () => server.stop(true),
  };
  return backend;
}

function signatureIn(headers: Headers) {
  const [id, timestamp, signature] = ["id", "timestamp", "signature"].map(
    (name) => headers.get(`webhook-${name}`) ?? "",
  );
  return { id: id ?? "", timestamp: timestamp ?? "", signature: signature ?? "" };
}

export type World = AsyncDisposable & {
  readonly gateway: TestGateway;
  readonly backend: TestBackend;
  readonly clock: FakeClock;
  /** Sets the backend of the default tenant by API. */
  set(settings?: object): Promise<void>;
  counted(event: string): Promise<number>;
};

export async function openWorld(
  answer: TestBackend["answer"],
  config: ConfigInput = {},
): Promise<World> {
  const clock = createFakeClock();
  const folder = mkdtempSync(join(tmpdir(), "aldis-backend-"));
  const backend = startBackend(answer, () => clock.nowMs());
  const gateway = await startTestGateway({
    clock,
    config: {
      store: { url: `sqlite:${join(folder, "aldis.db")}` },
      outbound: { allowPrivate: ["127.0.0.0/8"] },
      ...config,
    },
  });
  return {
    ...{ gateway, backend, clock },
    async set(settings = {}) {
      const { status, body } = await gateway.call("PUT", "/api/backend", {
        url: backend.url,
        ...settings,
      });
      if (status !== 200) throw new Error(`${status}: ${JSON.stringify(body)}`);
      if (typeof body.secret === "string") backend.secret = body.secret;
    },
    async counted(event) {
      const headers = { authorization: `Bearer ${gateway.apiKey}` };
      const page = await (await fetch(`${gateway.url}/metrics`, { headers })).text();
      const line = new RegExp(`events_total\\{plugin="backend-calls",event="${event}"\\} (\\d+)`);
      return Number(line.exec(page)?.[1] ?? 0);
    },
    async [Symbol.asyncDispose]() {
      await gateway[Symbol.asyncDispose]();
      await backend[Symbol.asyncDispose]();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
