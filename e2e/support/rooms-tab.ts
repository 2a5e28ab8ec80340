import type { Locator, Page } from "playwright-core";

/** The page of rooms as its user sees it. Every `await` waits for what it names, never for a time. */
export class RoomsTab {
  readonly page: Page;

  constructor(page: Page) {
    this.page = page;
  }

  async connected(): Promise<void> {
    await this.page.locator('#status[data-state="connected"]').waitFor();
  }

  /** The room is open and its messages are there. */
  async inRoom(title: string): Promise<void> {
    await this.page.locator("#room-title").getByText(title, { exact: true }).waitFor();
  }

  async say(text: string): Promise<void> {
    await this.page.fill("#text", text);
    await this.page.press("#text", "Enter");
  }

  message(text: string): Locator {
    const bubble = this.page.locator(".bubble").getByText(text, { exact: true });
    return this.page.locator(".message").filter({ has: bubble });
  }

  /** The gateway has it. */
  async sent(text: string): Promise<void> {
    await this.message(text).and(this.page.locator('[data-delivery="sent"]')).waitFor();
  }

  texts(): Promise<string[]> {
    return this.page.locator(".message .bubble").allTextContents();
  }

  /** A button at a message, by its label or text. */
  deed(text: string, label: string): Locator {
    return this.message(text).getByRole("button", { name: label });
  }

  room(channel: string): Locator {
    return this.page.locator(`.room-row[data-room="${channel}"]`);
  }

  unread(channel: string): Locator {
    return this.room(channel).locator(".unread");
  }

  /** Makes or joins a room by the form. */
  async go(name: string, members?: string): Promise<void> {
    await this.page.fill("#room-name", name);
    await this.page.setChecked("#room-private", members !== undefined);
    await this.page.fill("#room-members", members ?? "");
    await this.page.click("#open-room button");
    await this.inRoom(name);
  }

  notification(text: string): Locator {
    return this.page.locator(".notification").filter({ hasText: text });
  }

  notifications(): Promise<string[]> {
    return this.page.locator(".notification .what").allTextContents();
  }

  async notify(user: string, title: string, how: { urgent?: boolean } = {}): Promise<void> {
    await this.page.fill("#notify-user", user);
    await this.page.fill("#notify-title-text", title);
    await this.page.setChecked("#notify-urgent", how.urgent ?? false);
    await this.page.click("#notify button");
    await this.page.locator("#notify-note", { hasText: `waits for ${user}` }).waitFor();
  }
}
