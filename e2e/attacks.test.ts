import { afterAll, beforeAll, expect, test } from "bun:test";
import type { Browser, Page } from "playwright-core";
import { FOREIGN_HOST, launchBrowser, openTabs } from "./support/browser.ts";
import { startDevServer } from "./support/dev-server.ts";

let browser: Browser;

beforeAll(async () => {
  browser = await launchBrowser();
});
afterAll(() => browser.close());

const HOSTILE = "<img src=x onerror=\"document.title='owned'\">";

test("hostile names and messages are text in every place that shows them (XSS)", async () => {
  await using server = await startDevServer();
  await using tabs = await openTabs(browser);
  const ann = await tabs.open(server.url, "Ann");
  const title = await ann.page.title();
  const mallory = await tabs.open(server.url, HOSTILE);
  await ann.person(HOSTILE).waitFor();
  await mallory.write("…");
  await ann.typing(`${HOSTILE} is typing…`).waitFor();
  await mallory.say(HOSTILE);
  await ann.sent(HOSTILE);
  await ann.story(`${HOSTILE} came.`).waitFor();
  await server.publish({ text: "<script>document.title='owned'</script>", __proto__: null });
  await ann.sent("<script>document.title='owned'</script>");
  expect(await ann.message(HOSTILE).locator(".who").textContent()).toBe(HOSTILE);
  for (const { page } of [ann, mallory]) {
    expect(await page.locator("main img, main script, main [onerror]").count()).toBe(0);
    expect(await page.title()).toBe(title);
  }
  expect(tabs.complaints).toEqual([]);
});

test("should the page ever make markup of text, its policy stops that", async () => {
  await using server = await startDevServer();
  await using tabs = await openTabs(browser);
  const { page } = await tabs.open(server.url, "Ann");
  const outcome = await page.evaluate((html) => {
    try {
      document.body.insertAdjacentHTML("beforeend", html);
      return "inserted";
    } catch (error) {
      return (error as Error).name;
    }
  }, HOSTILE);
  expect(outcome).toBe("TypeError");
});

/** A server of somebody else, whose pages are empty. */
function startForeignServer() {
  const server = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    fetch: () => new Response("<!doctype html>", { headers: { "content-type": "text/html" } }),
  });
  return { port: server.port, [Symbol.asyncDispose]: () => server.stop(true) };
}

/** What the page at hand gets when it asks for a token. */
function askForToken(page: Page, url: string): Promise<string> {
  return page.evaluate(async (asked) => {
    try {
      const response = await fetch(asked);
      return `${response.status} ${await response.text()}`;
    } catch (error) {
      return (error as Error).name;
    }
  }, `${url}/dev/token?user=Mallory`);
}

/** Whether a WebSocket opens from the page at hand. */
function tryToConnect(page: Page, url: string): Promise<string> {
  return page.evaluate((target) => {
    const socket = new WebSocket(target);
    return new Promise<string>((resolve) => {
      socket.addEventListener("open", () => resolve("open"));
      socket.addEventListener("close", () => resolve("closed"));
    });
  }, url);
}

test("a page of another origin gets no token and no connection", async () => {
  await using server = await startDevServer();
  await using foreign = startForeignServer();
  await using tabs = await openTabs(browser);
  const page = await tabs.context.newPage();
  await page.goto(`http://${FOREIGN_HOST}:${foreign.port}/`);
  expect(await askForToken(page, server.url)).toBe("TypeError");

  const response = await fetch(`${server.url}/dev/token?user=Ann`);
  const { token } = (await response.json()) as { token: string };
  const wsUrl = `ws://127.0.0.1:${server.port}/ws?token=${token}`;
  expect(await tryToConnect(page, wsUrl)).toBe("closed");
  // The same from the server's own page opens: it is the origin that decides.
  const own = await tabs.open(server.url, "Ann");
  expect(await tryToConnect(own.page, wsUrl)).toBe("open");
});

test("another server on this machine gets no token either", async () => {
  await using server = await startDevServer();
  await using other = startForeignServer();
  await using tabs = await openTabs(browser);
  const page = await tabs.context.newPage();
  await page.goto(`http://localhost:${other.port}/`);
  expect(await askForToken(page, server.url)).toBe("TypeError");
});

test("a foreign name that has come to mean this machine gets nothing (DNS rebinding)", async () => {
  await using server = await startDevServer();
  await using tabs = await openTabs(browser);
  const page = await tabs.context.newPage();
  const rebound = `http://${FOREIGN_HOST}:${server.port}`;
  await page.goto(`${rebound}/health/live`);
  expect(await askForToken(page, rebound)).toStartWith("403 ");
  expect(await tryToConnect(page, `ws://${FOREIGN_HOST}:${server.port}/ws`)).toBe("closed");
});
