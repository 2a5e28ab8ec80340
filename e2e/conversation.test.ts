import { afterAll, beforeAll, expect, test } from "bun:test";
import type { Browser } from "playwright-core";
import { launchBrowser, openTabs } from "./support/browser.ts";
import { startDevServer } from "./support/dev-server.ts";

let browser: Browser;

beforeAll(async () => {
  browser = await launchBrowser();
});
afterAll(() => browser.close());

test("what one tab says arrives in the other, marked as one's own only where it is", async () => {
  await using server = await startDevServer();
  await using tabs = await openTabs(browser);
  const ann = await tabs.open(server.url, "Ann");
  const bob = await tabs.open(server.url, "Bob");
  await ann.say("hello Bob");
  await bob.sent("hello Bob");
  await bob.say("hello Ann");
  await ann.sent("hello Ann");
  await ann.sent("hello Bob");
  expect(await ann.texts()).toEqual(["hello Bob", "hello Ann"]);
  expect(await bob.texts()).toEqual(["hello Bob", "hello Ann"]);
  expect(await ann.page.locator(".message.own .bubble").allTextContents()).toEqual(["hello Bob"]);
  expect(await bob.message("hello Bob").locator(".who").textContent()).toBe("Ann");
  expect(tabs.complaints).toEqual([]);
});

test("[PR1] each sees both, tabs of one user are one person, and who closes the tab goes", async () => {
  await using server = await startDevServer();
  await using tabs = await openTabs(browser);
  const ann = await tabs.open(server.url, "Ann");
  const bob = await tabs.open(server.url, "Bob");
  await ann.person("Bob").waitFor();
  await bob.person("Ann").waitFor();
  const again = await tabs.open(server.url, "Bob");
  await ann.person("Bob").filter({ hasText: "2 tabs" }).waitFor();
  expect(await ann.page.locator("#people-count").textContent()).toBe("2");
  await again.page.close();
  await bob.page.close();
  await ann.person("Bob").waitFor({ state: "detached" });
  await ann.story("Bob left.").waitFor();
});

test("[TY1] typing shows at the other, and ends when it is sent or taken back", async () => {
  await using server = await startDevServer();
  await using tabs = await openTabs(browser);
  const ann = await tabs.open(server.url, "Ann");
  const bob = await tabs.open(server.url, "Bob");
  await bob.write("hel");
  await ann.typing("Bob is typing…").waitFor();
  await bob.write("");
  await ann.page.locator("#typing:empty").waitFor({ state: "attached" });
  await bob.write("hello");
  await ann.typing("Bob is typing…").waitFor();
  await bob.page.press("#text", "Enter");
  await ann.sent("hello");
  await ann.page.locator("#typing:empty").waitFor({ state: "attached" });
});

test("[SU3] after a reload the conversation is there, under the same name", async () => {
  await using server = await startDevServer();
  await using tabs = await openTabs(browser);
  const ann = await tabs.open(server.url, "Ann");
  for (const text of ["one", "two", "three"]) await ann.say(text);
  await ann.sent("three");
  await ann.page.reload();
  await ann.connected();
  await ann.sent("three");
  expect(await ann.texts()).toEqual(["one", "two", "three"]);
  expect(await ann.page.inputValue("#name")).toBe("Ann");
  expect(await ann.page.locator(".message.own").count()).toBe(3);
});

test("[HI1] earlier messages are loaded on demand, in front", async () => {
  await using server = await startDevServer();
  const count = 120;
  for (let n = 1; n <= count; n++) await server.publish({ text: `n${n}` });
  await using tabs = await openTabs(browser);
  const ann = await tabs.open(server.url, "Ann");
  await ann.sent(`n${count}`);
  expect((await ann.texts())[0]).toBe("n71");
  await ann.page.click("#earlier");
  await ann.sent("n21");
  await ann.page.click("#earlier");
  await ann.sent("n1");
  await ann.page.locator("#earlier").waitFor({ state: "hidden" });
  expect(await ann.texts()).toEqual(Array.from({ length: count }, (_, index) => `n${index + 1}`));
});

test("a backend's messages are shown whatever they hold", async () => {
  await using server = await startDevServer();
  await using tabs = await openTabs(browser);
  const ann = await tabs.open(server.url, "Ann");
  await server.publish({ text: "deployed" });
  await server.publish({ order: 7 });
  await server.publish("plain");
  await ann.sent("plain");
  expect(await ann.texts()).toEqual(["deployed", '{"order":7}', "plain"]);
  expect(await ann.message("deployed").locator(".who").textContent()).toBe("backend");
});

test("another name is another person, in the same conversation", async () => {
  await using server = await startDevServer();
  await using tabs = await openTabs(browser);
  const ann = await tabs.open(server.url, "Ann");
  const bob = await tabs.open(server.url, "Bob");
  await ann.say("as Ann");
  await bob.sent("as Ann");
  await bob.person("Ann").waitFor();
  await ann.page.fill("#name", "Anna");
  await ann.page.press("#name", "Enter");
  await bob.person("Anna").waitFor();
  await ann.connected();
  await ann.say("as Anna");
  await bob.sent("as Anna");
  expect(await bob.message("as Anna").locator(".who").textContent()).toBe("Anna");
  expect(await ann.texts()).toEqual(["as Ann", "as Anna"]);
  await bob.person("Ann").waitFor({ state: "detached" });
});

test("the page works by keyboard alone, and says what its parts are", async () => {
  await using server = await startDevServer();
  await using tabs = await openTabs(browser);
  const { page } = await tabs.open(server.url, "Ann");
  await page.keyboard.type("typed at once");
  await page.keyboard.press("Enter");
  await page.getByRole("log", { name: "Messages" }).getByText("typed at once").waitFor();
  await page.getByLabel("Message to chat:lobby").waitFor();
  await page.getByLabel("Your name in this tab").waitFor();
  await page.getByRole("button", { name: "Cut my connection" }).waitFor();
  await page.getByRole("heading", { name: /Who is here/ }).waitFor();
  await page.getByRole("status").getByText("Connected").waitFor();
});
