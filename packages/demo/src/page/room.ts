// One user in the channel, over the public client alone: what comes goes into the timeline, what happens is told to the
// listener. main.ts opens one for the tab's name, and another when the name changes.
import {
  type AldisError,
  type Client,
  type ClientState,
  createClient,
  type PresencePush,
  type Subscription,
} from "@aldis/client";
import { fetchToken } from "./dev-token.ts";
import type { Network } from "./network.ts";
import { applyPresence, type Crowd, crowdOf, NOBODY } from "./people.ts";
import { RecoveryWatch, tellRecovery } from "./recovery.ts";
import { type Said, Timeline } from "./timeline.ts";

export const CHANNEL = "chat:lobby";
const LAST = 50;
const PEOPLE_MAX = 100;
/** All who are told that many came or went would ask at the same time. */
const REREAD_WITHIN_MS = 2_000;

/** `good`: something was healed; `bad`: something was lost or refused. */
export type StoryKind = "plain" | "good" | "bad";

export type RoomListener = {
  onState(state: ClientState): void;
  onTimeline(): void;
  onPeople(crowd: Crowd): void;
  onTyping(names: ReadonlySet<string>): void;
  onStory(text: string, kind: StoryKind): void;
};

const NOBODY_LISTENS: RoomListener = {
  onState() {},
  onTimeline() {},
  onPeople() {},
  onTyping() {},
  onStory() {},
};

export class Room {
  readonly name: string;
  readonly timeline = new Timeline();
  #listener: RoomListener;
  readonly #network: Network;
  readonly #client: Client;
  readonly #channel: Subscription;
  readonly #watch = new RecoveryWatch(this.timeline);
  readonly #typists = new Set<string>();
  #crowd: Crowd = NOBODY;
  #reread: ReturnType<typeof setTimeout> | undefined;
  #wasHere = false;
  #isConnected = false;

  constructor(name: string, network: Network, listener: RoomListener) {
    this.name = name;
    this.#network = network;
    this.#listener = listener;
    this.#client = createClient({
      url: new URL("/ws", location.href).href,
      token: ({ signal }) => fetchToken(name, signal),
      WebSocket: network.WebSocket,
    });
    this.#client.on("state", (state) => this.#onState(state));
    this.#client.on("error", (error) => this.#listener.onStory(error.message, "bad"));
    this.#channel = this.#client.subscribe(CHANNEL, { last: LAST });
    this.#listen(this.#channel);
  }

  connect(): void {
    this.#client.connect();
  }

  get state(): ClientState {
    return this.#client.state;
  }

  say(text: string): void {
    const key = crypto.randomUUID();
    this.timeline.addPending({ key, user: this.name, text, atMs: Date.now() });
    this.#channel.typing(false);
    this.#publish({ text, key });
  }

  retry(key: string): void {
    const text = this.timeline.retry(key);
    if (text !== undefined) this.#publish({ text, key });
  }

  typing(typing: boolean): void {
    this.#channel.typing(typing);
  }

  /** What others see as the colour of this user's dot. */
  setStatus(status: "active" | "away"): void {
    this.#channel.setPresence({ status }).catch(() => {
      // Without a connection it is told with the next one; nothing here waits for it.
    });
  }

  async refreshPeople(): Promise<void> {
    const page = await this.#channel.presence({ limit: PEOPLE_MAX });
    this.#setCrowd(crowdOf(page));
  }

  /** One page of older messages; resolves to whether there are still older ones. */
  async loadEarlier(): Promise<boolean> {
    const before = this.timeline.firstOffset;
    if (before === undefined) return false;
    const page = await this.#channel.history({ before, limit: LAST });
    for (const publication of page.publications) this.timeline.add(publication);
    this.#listener.onTimeline();
    return page.more;
  }

  ping(): Promise<number> {
    return this.#client.ping({ signal: AbortSignal.timeout(5_000) });
  }

  close(): void {
    // What still happens is of the past: it must not be drawn over the next room.
    this.#listener = NOBODY_LISTENS;
    clearTimeout(this.#reread);
    this.#client.close();
  }

  #listen(channel: Subscription): void {
    channel.on("subscribed", ({ recovered }) => this.#onSubscribed(recovered));
    channel.on("message", (message) => {
      this.timeline.add(message);
      this.#tellRecovery();
      this.#listener.onTimeline();
    });
    channel.on("presence", (push) => this.#onPresence(push));
    channel.on("typing", ({ user, typing }) =>
      this.#setTyping(user.id, typing ? "begun" : "ended"),
    );
    channel.on("error", (error) => this.#listener.onStory(error.message, "bad"));
  }

  #onPresence(push: PresencePush): void {
    this.#setCrowd(applyPresence(this.#crowd, push));
    if (push.event === "many") return this.#rereadPeople();
    const { id } = push.user;
    if (push.event === "leave") this.#setTyping(id, "ended");
    if (id === this.name || push.event === "update") return;
    this.#listener.onStory(push.event === "join" ? `${id} came.` : `${id} left.`, "plain");
  }

  #rereadPeople(): void {
    this.#reread ??= setTimeout(() => {
      this.#reread = undefined;
      // Without a connection there is nothing to ask: it is asked after the next subscription.
      this.refreshPeople().catch(() => {});
    }, Math.random() * REREAD_WITHIN_MS);
  }

  #onState(state: ClientState): void {
    if (state.name === "connected") this.#isConnected = true;
    if (state.name === "waiting" && this.#isConnected) this.#onBreak(state.cause);
    this.#listener.onState(state);
  }

  #onBreak(cause: AldisError): void {
    this.#isConnected = false;
    if (this.#wasHere) this.#watch.broke(this.#channel.position?.offset, Date.now());
    this.#typists.clear();
    this.#listener.onTyping(this.#typists);
    if (this.#network.cutUntilMs !== undefined) return;
    this.#listener.onStory(
      `The connection is gone (${cause.message}). Trying to get it back.`,
      "plain",
    );
  }

  #onSubscribed(recovered: boolean): void {
    if (!this.#wasHere) {
      this.#wasHere = true;
      this.#listener.onStory(`You are here as ${this.name}.`, "plain");
    } else if (recovered) {
      this.#lookForMissed().catch(() => {
        // It broke again: the next subscription looks once more, from the same place.
      });
    } else {
      this.#watch.giveUp();
      this.timeline.clearSent();
      const text =
        "The gateway no longer has all that was missed, and says so: the conversation is loaded anew.";
      this.#listener.onStory(text, "bad");
    }
    this.#listener.onTimeline();
    this.refreshPeople().catch(() => {
      // The same: asked again after the next subscription, and now and then anyway.
    });
  }

  /** The top of the channel is the gateway's own word for what should be here now. */
  async #lookForMissed(): Promise<void> {
    const { offset } = await this.#channel.history({ limit: 1 });
    this.#watch.continued(offset, Date.now());
    this.#tellRecovery();
    this.#listener.onTimeline();
  }

  #tellRecovery(): void {
    const recovery = this.#watch.take();
    if (recovery !== undefined) this.#listener.onStory(tellRecovery(recovery), "good");
  }

  #publish(said: Said): void {
    const { key } = said;
    this.#listener.onTimeline();
    this.#channel
      .publish(said, { event: "say", idempotencyKey: key })
      .then(
        ({ offset }) => this.timeline.confirm(key, offset),
        (error: AldisError) => {
          this.timeline.fail(key);
          this.#listener.onStory(`A message was not sent: ${error.message}.`, "bad");
        },
      )
      .finally(() => this.#listener.onTimeline());
  }

  #setCrowd(crowd: Crowd): void {
    this.#crowd = crowd;
    this.#listener.onPeople(crowd);
  }

  #setTyping(name: string, change: "begun" | "ended"): void {
    if (change === "begun") this.#typists.add(name);
    else this.#typists.delete(name);
    this.#listener.onTyping(this.#typists);
  }
}
