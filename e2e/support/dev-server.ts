import { fileURLToPath } from "node:url";
import { eventually } from "@aldis/testkit";

const MAIN = fileURLToPath(new URL("../../packages/cli/src/main.ts", import.meta.url));

export type DevServer = AsyncDisposable & {
  readonly port: number;
  /** `http://localhost:port` */
  readonly url: string;
  /** Publishes as a backend does. */
  publish(data: unknown): Promise<void>;
  /** SIGTERM, and waits for the end. */
  stop(): Promise<void>;
};

const API_KEY = "an-api-key-of-the-browser-tests";
const SETTINGS = {
  ALDIS_JWT_SECRET: "a secret that only the browser tests know",
  ALDIS_API_KEY: API_KEY,
  ALDIS_STORE_URL: "none",
};

/** The real dev server as a process of its own; its secrets are the same after a restart. */
export async function startDevServer(port = 0): Promise<DevServer> {
  const child = Bun.spawn([process.execPath, MAIN, "dev", "--port", String(port)], {
    stdin: "ignore",
    stdout: "pipe",
    stderr: "ignore",
    // Where CI is set the banner is in colour, also on a pipe.
    env: { ...process.env, ...SETTINGS, NO_COLOR: "1" },
  });
  const output = collect(child.stdout);
  const [, url = ""] = await eventually("the banner of the dev server", () => {
    if (child.exitCode !== null) throw new Error(`the dev server ended with ${child.exitCode}`);
    return /Open\s+(http:\/\/localhost:\d+)[\s\S]*Ctrl-C stops it/.exec(output()) ?? undefined;
  });
  async function stop(): Promise<void> {
    child.kill("SIGTERM");
    await child.exited;
  }
  return {
    port: Number(new URL(url).port),
    url,
    async publish(data) {
      const response = await fetch(`${url}/api/publish`, {
        method: "POST",
        headers: { authorization: `Bearer ${API_KEY}`, "content-type": "application/json" },
        body: JSON.stringify({ channel: "chat:lobby", event: "say", data }),
      });
      if (!response.ok) throw new Error(`publish: ${response.status}`);
    },
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

function collect(stream: ReadableStream<Uint8Array>): () => string {
  const decoder = new TextDecoder();
  let text = "";
  void (async () => {
    for await (const bytes of stream) text += decoder.decode(bytes, { stream: true });
  })();
  return () => text;
}
