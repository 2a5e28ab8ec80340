import { type Browser, type BrowserContext, chromium, type Page } from "playwright-core";
import { RoomsTab } from "./rooms-tab.ts";
import { Tab } from "./tab.ts";

const ARGS = [
  "--headless",
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/** A host name that is not this machine's, and leads to it all the same. */
export const FOREIGN_HOST = "evil.example";

/** A browser with a profile of its own, which Playwright removes when it is closed. */
export function launchBrowser(): Promise<Browser> {
  return chromium.launch({
    executablePath: "/usr/bin/chromium",
    args: [...ARGS, `--host-resolver-rules=MAP ${FOREIGN_HOST} 127.0.0.1`],
  });
}

export type Tabs = AsyncDisposable & {
  readonly context: BrowserContext;
  /** Opens the demo page as this user, and waits until it is connected. */
  open(url: string, name: string): Promise<Tab>;
  /** The same with the page of rooms; in `room`, or the lobby. */
  openRooms(url: string, name: string, room?: string): Promise<RoomsTab>;
  /** What the pages complained about: errors, and what their policy forbade. */
  readonly complaints: string[];
};

/** Tabs of one browser window, alone with their cookies and storage. */
export async function openTabs(
  browser: Browser,
  options: { readonly deviceScaleFactor?: number } = {},
): Promise<Tabs> {
  const viewport = { width: 1280, height: 800 };
  const context = await browser.newContext({ viewport, ...options });
  const complaints: string[] = [];

  async function openPage(url: string, name: string): Promise<Page> {
    const page = await context.newPage();
    page.on("pageerror", (error) => complaints.push(error.message));
    page.on("dialog", (dialog) => complaints.push(`dialog: ${dialog.message()}`));
    page.on("console", (line) => {
      if (/Content Security Policy|Trusted/i.test(line.text())) complaints.push(line.text());
    });
    await page.addInitScript((own) => {
      if (sessionStorage.getItem("aldis-demo-name") === null) {
        sessionStorage.setItem("aldis-demo-name", own);
      }
    }, name);
    await page.goto(url);
    return page;
  }

  return {
    context,
    complaints,
    async open(url, name) {
      const tab = new Tab(await openPage(url, name));
      await tab.connected();
      return tab;
    },
    async openRooms(url, name, room = "chat:lobby") {
      const at = new URL(`/rooms#${encodeURIComponent(room)}`, url).href;
      const tab = new RoomsTab(await openPage(at, name));
      await tab.connected();
      return tab;
    },
    [Symbol.asyncDispose]: () => context.close(),
  };
}
