// Makes the pictures of the README: `bun e2e/screenshot.ts`. A conversation of three people and a backend, in which one
// was cut off for a while.
import { fileURLToPath } from "node:url";
import type { Page } from "playwright-core";
import { launchBrowser, openTabs } from "./support/browser.ts";
import { startDevServer } from "./support/dev-server.ts";

const FOLDER = fileURLToPath(new URL("../docs/images/", import.meta.url));

async function takePicture(page: Page, name: string): Promise<void> {
  await page.screenshot({ path: `${FOLDER}${name}.png` });
  console.log(`docs/images/${name}.png`);
}

const browser = await launchBrowser();
try {
  await using server = await startDevServer();
  await using tabs = await openTabs(browser, { deviceScaleFactor: 2 });
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
} finally {
  await browser.close();
}
