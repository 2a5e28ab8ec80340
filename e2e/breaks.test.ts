import { afterAll, beforeAll, expect, test } from "bun:test";
import { startTcpProxy } from "@aldis/testkit";
import type { Browser } from "playwright-core";
import { launchBrowser, openTabs } from "./support/browser.ts";
import { startDevServer } from "./support/dev-server.ts";

let browser: Browser;

beforeAll(async () => {
  browser = await launchBrowser();
});
afterAll(() => browser.close());

test("[SU2] the page's own cut: what was missed comes once, in order, marked as recovered", async () => {
  await using server = await startDevServer();
  await using tabs = await openTabs(browser);
  const ann = await tabs.open(server.url, "Ann");
  const bob = await tabs.open(server.url, "Bob");
  await bob.say("before");
  await ann.sent("before");
  await ann.page.click("#cut");
  await ann.reconnecting();
  for (const text of ["missed 1", "missed 2", "missed 3"]) await bob.say(text);
  await bob.sent("missed 3");
  await ann.say("written while away");
  await ann.message("written while away").getByText("Waiting to be sent…").waitFor();
  expect(await ann.texts()).toEqual(["before", "written while away"]);

  await ann.story(/3 messages recovered, none lost, none twice/).waitFor();
  await bob.sent("written while away");
  await ann.sent("written while away");
  await bob.say("after");
  await ann.sent("after");
  const all = ["before", "missed 1", "missed 2", "missed 3", "written while away", "after"];
  expect(await ann.texts()).toEqual(all);
  expect(await bob.texts()).toEqual(all);
  expect(await ann.recovered()).toEqual(["missed 1", "missed 2", "missed 3"]);
  expect(await bob.recovered()).toEqual([]);
});

test("[SE3] a real cut: the network goes without a word and comes back", async () => {
  await using server = await startDevServer();
  await using proxy = startTcpProxy(server.port);
  await using tabs = await openTabs(browser);
  const ann = await tabs.open(`http://localhost:${proxy.port}/`, "Ann");
  const bob = await tabs.open(server.url, "Bob");
  await bob.say("before");
  await ann.sent("before");

  const missed: string[] = [];
  for (const round of [1, 2]) {
    proxy.accepting = false;
    proxy.cut();
    await ann.reconnecting();
    for (const n of [1, 2, 3]) {
      const text = `round ${round} missed ${n}`;
      await bob.say(text);
      await bob.sent(text);
      missed.push(text);
    }
    proxy.accepting = true;
    await ann.connected();
    await ann.sent(`round ${round} missed 3`);
  }
  await bob.say("after");
  await ann.sent("after");
  await ann.page.locator("#story .good").nth(1).waitFor();
  expect(await ann.texts()).toEqual(["before", ...missed, "after"]);
  expect(await ann.recovered()).toEqual(missed);
  const stories = await ann.page.locator("#story .good .words").allTextContents();
  for (const story of stories) expect(story).toContain("3 messages recovered, none lost");
});

test("[LS2] a network that swallows everything is noticed, and what it swallowed comes", async () => {
  await using server = await startDevServer();
  await using proxy = startTcpProxy(server.port);
  await using tabs = await openTabs(browser);
  const ann = await tabs.open(`http://localhost:${proxy.port}/`, "Ann");
  const bob = await tabs.open(server.url, "Bob");
  await bob.say("before");
  await ann.sent("before");
  proxy.frozen = true;
  await bob.say("swallowed 1");
  await bob.sent("swallowed 1");
  await ann.say("into the void");
  // The browser's hint that the network changed makes the client look at once instead of after a while.
  await ann.page.evaluate(() => window.dispatchEvent(new Event("offline")));
  await ann.reconnecting();
  await bob.say("swallowed 2");
  await bob.sent("swallowed 2");
  proxy.frozen = false;
  await ann.page.evaluate(() => window.dispatchEvent(new Event("online")));
  await ann.sent("swallowed 2");
  await bob.sent("into the void");
  await ann.sent("into the void");
  const seen = await bob.texts();
  expect(seen.toSorted()).toEqual(["before", "into the void", "swallowed 1", "swallowed 2"]);
  expect(await ann.texts()).toEqual(seen);
});

test("[PR4] whoever is cut for long is gone for the others, and comes back", async () => {
  await using server = await startDevServer();
  await using tabs = await openTabs(browser);
  const ann = await tabs.open(server.url, "Ann");
  const bob = await tabs.open(server.url, "Bob");
  await bob.person("Ann").waitFor();
  await ann.page.click("#cut");
  await bob.story("Ann left.").waitFor();
  await bob.story("Ann came.").waitFor();
  await ann.connected();
  await bob.person("Ann").waitFor();
});

test("a restarted gateway has lost the conversation, and the page says so", async () => {
  const first = await startDevServer();
  await using tabs = await openTabs(browser);
  const ann = await tabs.open(first.url, "Ann");
  await ann.say("of the first gateway");
  await ann.sent("of the first gateway");
  await first.stop();
  await ann.reconnecting();
  await using second = await startDevServer(first.port);
  await ann.connected();
  await ann.story(/no longer has all that was missed/).waitFor();
  await second.publish("of the second gateway");
  await ann.sent("of the second gateway");
  expect(await ann.texts()).toEqual(["of the second gateway"]);
});
