import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser } from "playwright-core";
import { launchBrowser, openTabs } from "./support/browser.ts";
import { startDevServer } from "./support/dev-server.ts";

let browser: Browser;
const folder = mkdtempSync(join(tmpdir(), "aldis-e2e-"));

beforeAll(async () => {
  browser = await launchBrowser();
});
afterAll(async () => {
  await browser.close();
  rmSync(folder, { recursive: true });
});

function startWithStore(name: string) {
  return startDevServer(0, { ALDIS_STORE_URL: `sqlite:${join(folder, name)}` });
}

test("what was sent while nobody was there waits, urgent ones first; dismissed on one tab it goes on the other", async () => {
  await using server = await startWithStore("away.db");
  await using tabs = await openTabs(browser);
  const ann = await tabs.openRooms(server.url, "Ann");
  await ann.notify("Bob", "The minutes are there");
  await ann.notify("Bob", "The cellar is wet", { urgent: true });
  await server.notify({ user: "Bob", title: "Deployed", body: "4f1c2e9" });
  const bob = await tabs.openRooms(server.url, "Bob");
  const other = await tabs.openRooms(server.url, "Bob");
  for (const tab of [bob, other]) {
    await tab.notification("Deployed — 4f1c2e9").waitFor();
    await tab.page.locator("#bell-count", { hasText: "3" }).waitFor();
    expect(await tab.notifications()).toEqual([
      ...["The cellar is wet", "The minutes are there", "Deployed — 4f1c2e9"],
    ]);
  }
  await bob.page.locator(".notification.urgent .badge", { hasText: "urgent" }).waitFor();
  await bob.notification("cellar").getByRole("button").click();
  await other.notification("cellar").waitFor({ state: "detached" });
  await other.page.click("#bell-all");
  for (const tab of [bob, other]) {
    await tab.page.locator("#bell-empty").waitFor();
    expect(await tab.notifications()).toEqual([]);
  }
  await bob.page.reload();
  await bob.connected();
  // What comes now comes alone: nothing of what was dismissed comes back.
  await server.notify({ user: "Bob", type: "news" });
  await bob.notification("news").waitFor();
  expect(await bob.notifications()).toEqual(["news"]);
  expect(tabs.complaints).toEqual([]);
});

test("the two pages lead to each other, and fit a phone", async () => {
  await using server = await startWithStore("pages.db");
  await using tabs = await openTabs(browser);
  const { page } = await tabs.openRooms(server.url, "Ann");
  await server.notify({ user: "Ann", title: "W".repeat(120), priority: "urgent" });
  await page.locator(".notification.urgent").waitFor();
  await page.setViewportSize({ width: 360, height: 740 });
  const overflow = () =>
    page.evaluate(
      () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
    );
  expect(await overflow()).toBe(0);
  await page.getByRole("link", { name: "Live channel" }).click();
  await page.locator('#status[data-state="connected"]').waitFor();
  expect(await overflow()).toBe(0);
  await page.getByRole("link", { name: "Rooms" }).click();
  await page.locator("#room-title").getByText("lobby").waitFor();
});
