import { fileURLToPath } from "node:url";
import { eventually } from "@aldis/testkit";

const MAIN = fileURLToPath(new URL("../../packages/cli/src/main.ts", import.meta.url));

export type DevServer = AsyncDisposable & {
  readonly port: number;
  /** `http://localhost:port` */
  readonly url: string;
  /** Publishes as a backend does. */
  publish(data: unknown): Promise<void>;
  /** Says things in the room `lobby`, one after another, as a backend does. */
  chat(texts: readonly string[]): Promise<void>;
  /** Notifies a user, as a backend does. */
  notify(notification: object): Promise<void>;
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
export async function startDevServer(
  port = 0,
  settings: Readonly<Record<string, string>> = {},
): Promise<DevServer> {
  const child = Bun.spawn([process.execPath, MAIN, "dev", "--port", String(port)], {
    stdin: "ignore",
    stdout: "pipe",
    stderr: "ignore",
    // Where CI is set the banner is in colour, also on a pipe.
    env: { ...process.env, ...SETTINGS, ...settings, NO_COLOR: "1" },
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
  async function post(path: string, body: object): Promise<void> {
    const response = await fetch(`${url}/api/${path}`, {
      method: "POST",
      headers: { authorization: `Bearer ${API_KEY}`, "content-type": "application/json" },
      body: JSON.stringify(body),
    });
    if (!response.ok) throw new Error(`${path}: ${response.status}`);
  }
  const isReady = () =>
    eventually("it is ready", async () => (await fetch(`${url}/health/ready`)).ok);
  return {
    port: Number(new URL(url).port),
    url,
    publish: (data) => post("publish", { channel: "chat:lobby", event: "say", data }),
    async chat(texts) {
      await isReady();
      for (const text of texts) await post("chat/send", { room: "lobby", text });
    },
    async notify(notification) {
      await isReady();
      await post("notifications", notification);
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
