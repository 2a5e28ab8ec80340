import { afterAll, beforeAll, expect, test } from "bun:test";
import { startTestGateway } from "@aldis/testkit";
import type { Browser } from "playwright-core";
import { bundle } from "../packages/client/build.ts";
import { launchBrowser } from "./support/browser.ts";

let browser: Browser;

beforeAll(async () => {
  browser = await launchBrowser();
});
afterAll(() => browser.close());

test("[MP2] [MP5] the client in MessagePack, with bytes, on a page that forbids eval", async () => {
  const scripts = new Map([
    ["/index.js", await bundle({ minify: true })],
    ["/msgpack.js", await bundle({ minify: true, entry: "msgpack" })],
  ]);
  await using gateway = await startTestGateway({
    pages(_request, { pathname }) {
      const script = scripts.get(pathname);
      if (script !== undefined) {
        return new Response(script, { headers: { "content-type": "text/javascript" } });
      }
      if (pathname !== "/page") return undefined;
      const headers = {
        "content-type": "text/html",
        "content-security-policy": "script-src 'self'",
      };
      return new Response("<!doctype html><title>page</title>", { headers });
    },
  });
  const page = await browser.newPage();
  const complaints: string[] = [];
  page.on("console", (line) => {
    if (/Content Security Policy/i.test(line.text())) complaints.push(line.text());
  });
  page.on("pageerror", (error) => complaints.push(error.message));
  await page.goto(`${gateway.url}/page`);
  const given = {
    url: gateway.wsUrl,
    token: await gateway.token(),
    entries: ["/index.js", "/msgpack.js"],
  };
  const seen = await page.evaluate(async ({ url, token, entries }) => {
    const [{ createClient }, { msgpack }] = await Promise.all(entries.map((path) => import(path)));
    const client = createClient({ url, token, codec: msgpack });
    client.connect();
    const messages: { data: unknown }[] = [];
    const subscription = client.subscribe("chat:lobby");
    subscription.on("message", (message: { data: unknown }) => messages.push(message));
    await subscription.ready;
    await subscription.publish({ text: "grüß 😀", at: 2 ** 40 });
    await subscription.publish(Uint8Array.from([0, 128, 255]));
    client.close();
    return messages.map(({ data }) => (data instanceof Uint8Array ? ["bytes", ...data] : data));
  }, given);
  expect(seen).toEqual([{ text: "grüß 😀", at: 2 ** 40 }, ["bytes", 0, 128, 255]]);
  expect(complaints).toEqual([]);
  await page.close();
}, 30_000);
