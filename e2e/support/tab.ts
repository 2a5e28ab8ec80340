import type { Locator, Page } from "playwright-core";

/** The demo page as its user sees it. Every `await` waits for what it names, never for a time. */
export class Tab {
  readonly page: Page;

  constructor(page: Page) {
    this.page = page;
  }

  async connected(): Promise<void> {
    await this.page.locator('#status[data-state="connected"]').waitFor();
    await this.page.locator(".person .who", { hasText: "(you)" }).waitFor();
  }

  /** Not connected, and not giving up. */
  async reconnecting(): Promise<void> {
    await this.page.locator("#status", { hasText: /Reconnecting|Connecting|Cut off/ }).waitFor();
  }

  async write(text: string): Promise<void> {
    await this.page.fill("#text", text);
  }

  async say(text: string): Promise<void> {
    await this.write(text);
    await this.page.press("#text", "Enter");
  }

  /** Has its place in the channel: neither pending nor failed. */
  async sent(text: string): Promise<void> {
    await this.message(text).and(this.page.locator('[data-delivery="sent"]')).waitFor();
  }

  message(text: string): Locator {
    const bubble = this.page.locator(".bubble").getByText(text, { exact: true });
    return this.page.locator(".message").filter({ has: bubble });
  }

  /** All texts of the conversation, from top to bottom. */
  texts(): Promise<string[]> {
    return this.page.locator(".message .bubble").allTextContents();
  }

  recovered(): Promise<string[]> {
    return this.page.locator(".message.recovered .bubble").allTextContents();
  }

  person(name: string): Locator {
    const who = this.page.locator(".who").getByText(name, { exact: true });
    return this.page.locator(".person").filter({ has: who });
  }

  typing(text: string): Locator {
    return this.page.locator("#typing").getByText(text, { exact: true });
  }

  story(text: string | RegExp): Locator {
    return this.page.locator("#story li").filter({ hasText: text }).first();
  }
}
