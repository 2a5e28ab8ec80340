// Makes the pictures of the README: `bun e2e/screenshot.ts`. A conversation of three people and a backend, in which one
// was cut off for a while; and their rooms, with notifications that wait.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Page } from "playwright-core";
import { launchBrowser, openTabs, type Tabs } from "./support/browser.ts";
import { type DevServer, startDevServer } from "./support/dev-server.ts";

const FOLDER = fileURLToPath(new URL("../docs/images/", import.meta.url));

async function takePicture(page: Page, name: string): Promise<void> {
  await page.screenshot({ path: `${FOLDER}${name}.png` });
  console.log(`docs/images/${name}.png`);
}

async function channelPage(server: DevServer, tabs: Tabs): Promise<void> {
  const mia = await tabs.open(server.url, "Mia");
  const ben = await tabs.open(server.url, "Ben");
  const ada = await tabs.open(server.url, "Ada");
  await ben.say("Deploying the new checkout in five minutes.");
  await mia.sent("Deploying the new checkout in five minutes.");
  await mia.say("I am on a train, so I may drop out. Go ahead!");
  await ben.sent("I am on a train, so I may drop out. Go ahead!");
  await mia.page.click("#cut");
  await mia.reconnecting();
  await server.publish({ text: "Deployed 4f1c2e9 to production" });
  await ada.sent("Deployed 4f1c2e9 to production");
  await ada.say("Looks good from here, orders are coming in.");
  await ben.sent("Looks good from here, orders are coming in.");
  await mia.story(/2 messages recovered/).waitFor();
  await mia.say("Back, and nothing missed. Lovely.");
  await ben.sent("Back, and nothing missed. Lovely.");
  await ben.write("Thank");
  await mia.typing("Ben is typing…").waitFor();
  await mia.page.locator("#latency:not(:empty)").waitFor();
  await takePicture(mia.page, "demo");
  await mia.page.emulateMedia({ colorScheme: "dark" });
  await takePicture(mia.page, "demo-dark");
}

async function roomsPage(server: DevServer, tabs: Tabs): Promise<void> {
  const ben = await tabs.openRooms(server.url, "Ben");
  const ada = await tabs.openRooms(server.url, "Ada");
  await ben.go("Garden party", "Ada, Mia");
  const channel = decodeURIComponent(new URL(ben.page.url()).hash.slice(1));
  await ben.say("Saturday at six, rain or shine?");
  await ada.room(channel).click();
  await ada.sent("Saturday at six, rain or shine?");
  await ada.say("Shine, please. I bring the salad.");
  await ben.sent("Shine, please. I bring the salad.");
  await server.notify({ user: "Mia", title: "Your train is 10 minutes late", priority: "urgent" });
  await ada.notify("Mia", "Can you bring chairs?");
  const mia = await tabs.openRooms(server.url, "Mia");
  await server.chat(["Deploying in five minutes"]);
  await mia.sent("Deploying in five minutes");
  await mia.room("chat:lobby").waitFor();
  await mia.room(channel).click();
  await mia.sent("Shine, please. I bring the salad.");
  await mia.deed("Shine, please. I bring the salad.", "Reply").click();
  await mia.say("And I the chairs, six of them.");
  await ben.deed("Shine, please. I bring the salad.", "React with ❤️").click();
  await mia.deed("Shine, please. I bring the salad.", "❤️ 1").waitFor();
  await server.chat(["Deployed 4f1c2e9 to production", "All checks are green"]);
  await mia.unread("chat:lobby").getByText("2").waitFor();
  await mia.page.bringToFront();
  await mia.unread(channel).waitFor({ state: "detached" });
  await mia.notification("train").waitFor();
  await mia.notification("chairs").waitFor();
  await mia.page.locator("#latency:not(:empty)").waitFor();
  // As one looks at it: the pointer on nothing.
  await mia.page.mouse.move(0, 0);
  await takePicture(mia.page, "rooms");
  await mia.page.emulateMedia({ colorScheme: "dark" });
  await takePicture(mia.page, "rooms-dark");
}

const folder = mkdtempSync(join(tmpdir(), "aldis-pictures-"));
const browser = await launchBrowser();
try {
  await using server = await startDevServer(0, {
    ALDIS_STORE_URL: `sqlite:${join(folder, "aldis.db")}`,
  });
  await using tabs = await openTabs(browser, { deviceScaleFactor: 2 });
  await channelPage(server, tabs);
  await roomsPage(server, tabs);
} finally {
  await browser.close();
  rmSync(folder, { recursive: true });
}
