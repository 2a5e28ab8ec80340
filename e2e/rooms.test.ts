import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { eventually } from "@aldis/testkit";
import type { Browser } from "playwright-core";
import { launchBrowser, openTabs } from "./support/browser.ts";
import { startDevServer } from "./support/dev-server.ts";

let browser: Browser;
const folder = mkdtempSync(join(tmpdir(), "aldis-e2e-"));
let databases = 0;

beforeAll(async () => {
  browser = await launchBrowser();
});
afterAll(async () => {
  await browser.close();
  rmSync(folder, { recursive: true });
});

/** A dev server with a database of its own. */
function startWithStore(path = join(folder, `${databases++}.db`), port = 0) {
  return startDevServer(port, { ALDIS_STORE_URL: `sqlite:${path}` });
}

test("edits, reactions, replies and deletions of one are seen by the other", async () => {
  await using server = await startWithStore();
  await using tabs = await openTabs(browser);
  const ann = await tabs.openRooms(server.url, "Ann");
  const bob = await tabs.openRooms(server.url, "Bob");
  await ann.say("helo");
  await bob.sent("helo");
  await ann.deed("helo", "Edit").click();
  await ann.page.fill("#text", "hello");
  await ann.page.press("#text", "Enter");
  await bob.sent("hello");
  await bob.deed("hello", "React with 👍").click();
  await ann.deed("hello", "👍 1").waitFor();
  await bob.deed("hello", "Reply").click();
  await bob.say("good morning");
  await ann.page.locator(".quoted", { hasText: "Ann: hello" }).waitFor();
  await ann.page.locator(".seen", { hasText: "Bob" }).waitFor();
  await ann.deed("hello", "Delete").click();
  await bob.page.locator(".bubble.gone").waitFor();
  expect(await bob.message("hello").count()).toBe(0);
  expect(tabs.complaints).toEqual([]);
});

test("what is said while cut off stands there as waiting, and is said once when the network is back", async () => {
  await using server = await startWithStore();
  await using tabs = await openTabs(browser);
  const ann = await tabs.openRooms(server.url, "Ann");
  const bob = await tabs.openRooms(server.url, "Bob");
  await ann.say("before");
  await bob.sent("before");
  await ann.page.click("#cut");
  await ann.page.locator("#status", { hasText: "Cut off" }).waitFor();
  await ann.say("from the tunnel");
  await ann.message("from the tunnel").getByText("Waiting to be sent…").waitFor();
  await bob.say("are you there?");
  await bob.sent("are you there?");
  await bob.sent("from the tunnel");
  await ann.sent("from the tunnel");
  await ann.sent("are you there?");
  const all = ["before", "are you there?", "from the tunnel"];
  expect(await ann.texts()).toEqual(all);
  expect(await bob.texts()).toEqual(all);
});

test("what is unread is counted in the list, and read on one tab it is read on the user's other one", async () => {
  await using server = await startWithStore();
  await using tabs = await openTabs(browser);
  const ann = await tabs.openRooms(server.url, "Ann");
  const bob = await tabs.openRooms(server.url, "Bob");
  const other = await tabs.openRooms(server.url, "Bob");
  await ann.go("Plans", "Bob");
  const channel = decodeURIComponent(new URL(ann.page.url()).hash.slice(1));
  await bob.room(channel).waitFor();
  for (const text of ["one", "two", "three"]) await ann.say(text);
  for (const tab of [bob, other]) await tab.unread(channel).getByText("3").waitFor();
  // Bob's tab is in front, as the one that a person looks at.
  await bob.page.bringToFront();
  await bob.room(channel).click();
  await bob.sent("three");
  for (const tab of [bob, other]) await tab.unread(channel).waitFor({ state: "detached" });
});

test("a private room is not there for who is not in it", async () => {
  await using server = await startWithStore();
  await using tabs = await openTabs(browser);
  const ann = await tabs.openRooms(server.url, "Ann");
  await ann.go("Surprise", "Bob");
  await ann.say("not a word to Eve");
  await ann.sent("not a word to Eve");
  const channel = decodeURIComponent(new URL(ann.page.url()).hash.slice(1));
  const eve = await tabs.openRooms(server.url, "Eve", channel);
  await eve.page.locator("#room-note", { hasText: "not open to you" }).waitFor();
  expect(await eve.texts()).toEqual([]);
  expect(await eve.room(channel).count()).toBe(0);
  const bob = await tabs.openRooms(server.url, "Bob", channel);
  await bob.sent("not a word to Eve");
});

test("older messages come by scrolling, and search leads to one of them", async () => {
  await using server = await startWithStore();
  await using tabs = await openTabs(browser);
  await server.chat(Array.from({ length: 300 }, (_, n) => `message ${n + 1}`));
  const ann = await tabs.openRooms(server.url, "Ann");
  await ann.sent("message 300");
  expect(await ann.message("message 1").count()).toBe(0);
  const scroll = ann.page.locator("#scroll");
  await eventually("the first message is there", async () => {
    await scroll.evaluate((element) => {
      element.scrollTop = 0;
    });
    return (await ann.message("message 1").count()) > 0;
  });
  const texts = await ann.texts();
  expect(texts).toEqual(Array.from({ length: 300 }, (_, n) => `message ${n + 1}`));
  const again = await tabs.openRooms(server.url, "Bob");
  await again.sent("message 300");
  await again.page.fill("#search-text", "MESSAGE 77");
  await again.page.press("#search-text", "Enter");
  await again.page.locator("#found button").first().click();
  await again.sent("message 77");
});

test("after a restart of the gateway everything is still there, and who was there goes on", async () => {
  const path = join(folder, "restarted.db");
  const first = await startWithStore(path);
  await using tabs = await openTabs(browser);
  const ann = await tabs.openRooms(first.url, "Ann");
  await ann.go("Garden", "");
  await ann.say("tomatoes");
  await ann.sent("tomatoes");
  await first.stop();
  await ann.say("and beans");
  await using second = await startWithStore(path, first.port);
  await ann.connected();
  await ann.sent("and beans");
  const channel = decodeURIComponent(new URL(ann.page.url()).hash.slice(1));
  const again = await tabs.openRooms(second.url, "Ann", channel);
  await again.sent("and beans");
  expect(await again.texts()).toEqual(["tomatoes", "and beans"]);
});

test("hostile names, rooms and messages are text (XSS), whatever Unicode is in them", async () => {
  await using server = await startWithStore();
  await using tabs = await openTabs(browser);
  const hostile = "<img src=x onerror=\"document.title='owned'\">";
  const ann = await tabs.openRooms(server.url, "Ann");
  const mallory = await tabs.openRooms(server.url, hostile);
  const texts = [
    hostile,
    "<script>document.title='owned'</script>",
    "\u202egnirts\u202c right to left",
    `z${"\u0301\u0489\u036f".repeat(60)}algo`,
    "👩‍👩‍👧‍👦".repeat(150),
  ];
  for (const text of texts) {
    await mallory.say(text);
    await ann.sent(text);
  }
  await mallory.go(hostile, "Ann");
  await ann.page.locator("#rooms .who", { hasText: hostile }).waitFor();
  for (const { page } of [ann, mallory]) {
    expect(await page.locator("main img, main script, main [onerror]").count()).toBe(0);
    expect(await page.title()).toMatch(/Aldis · rooms$/);
  }
  expect(tabs.complaints).toEqual([]);
});
