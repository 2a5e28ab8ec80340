import type {
  ChatHistoryBody,
  ChatMarksBody,
  ChatMemberPush,
  ChatMessage,
  ChatPublications,
  ChatReceipt,
  ChatReceiptsPush,
  ChatSentBody,
  ChatRoom as WireRoom,
} from "@aldis/protocol";
import type { Client, Subscription } from "../api.ts";
import type { AldisError } from "../errors.ts";
import type { FeatureTools } from "../feature.ts";
import { LiveView } from "../live-view.ts";
import { Marks } from "./marks.ts";
import { reacted, saidMessage, withHeard, withOwnReaction, withReactions } from "./merge.ts";
import { type ChatDraft, type Outgoing, OutgoingMessages } from "./outgoing.ts";
import { PAGE_MAX, Pages } from "./pages.ts";
import type { ChatItem, ChatRoomView } from "./room-types.ts";
import { Timeline } from "./timeline.ts";

export type ChatRoomOptions = {
  /** Messages kept in memory; what is furthest away goes first. Default 1,000. */
  readonly messagesMax?: number | undefined;
  /** Tells others that messages have come here, not only that they were read. Default: false. */
  readonly delivered?: boolean | undefined;
};

const MESSAGES_MAX = 1_000;
type Change = {
  readonly seq: number;
  readonly apply: (message: ChatMessage) => ChatMessage;
};

/** What all handles on one room share. */
export class RoomState {
  readonly name: string;
  readonly subscription: Subscription;
  readonly live: LiveView<ChatRoomView>;
  readonly marks: Marks;
  readonly pages: Pages;
  readonly #client: Client;
  readonly #options: ChatRoomOptions;
  readonly #timeline: Timeline;
  readonly #outgoing: OutgoingMessages;
  readonly #stops: (() => void)[];
  #receipts: ReadonlyMap<string, ChatReceipt> = new Map();
  #changes: readonly Change[] = [];
  #state: ChatRoomView["state"] = "loading";
  #error: AldisError | undefined;
  #room: WireRoom | undefined;
  #whenIdle = () => {};

  constructor(
    name: string,
    client: Client,
    { tools, options }: { readonly tools: FeatureTools; readonly options: ChatRoomOptions },
  ) {
    this.name = name;
    this.#client = client;
    this.#options = options;
    this.#timeline = new Timeline(Math.max(PAGE_MAX, options.messagesMax ?? MESSAGES_MAX));
    this.live = new LiveView(() => this.#snapshot(), tools.report);
    const onChange = () => this.live.changed();
    this.#outgoing = new OutgoingMessages({
      ...{ client, tools, room: name },
      onChange: () => {
        onChange();
        this.#whenIdle();
      },
      onSent: (item, body) => this.#onSent(item, body),
    });
    this.marks = new Marks({
      ask: (marks) => this.ask<ChatMarksBody>("chat_read", marks),
      setTimer: (delayMs, run) => tools.clock.setTimer(delayMs, run),
      onChange,
    });
    this.pages = new Pages({
      ...{ timeline: this.#timeline, tools, onChange },
      ask: (bounds) => this.ask<ChatHistoryBody>("chat_history", bounds),
      learn: () => this.#learn(),
      countAnew: () => this.#countAnew(),
      isEnded: () => this.isEnded,
      onLive: () => {
        this.#state = "live";
      },
      onRefused: (error) => this.#end(error),
    });
    this.subscription = client.subscribe(name);
    this.#stops = [
      this.subscription.on("subscribed", ({ recovered }) => this.#onSubscribed(recovered)),
      this.subscription.on("message", ({ event, data }) => this.#onEvent(event, data)),
      this.subscription.on("skipped", () => this.pages.mend("everything")),
      this.subscription.on("unsubscribed", ({ error }) => this.#end(error)),
      client.on("push", ({ action, data }) => this.#onPush(action, data)),
    ];
  }

  get isEnded(): boolean {
    return this.#state === "ended";
  }

  ask<T>(action: string, data: object): Promise<T> {
    return this.#client.request(action, { room: this.name, ...data }) as Promise<T>;
  }

  send(draft: ChatDraft): Promise<ChatSentBody> {
    return this.#outgoing.add(draft);
  }

  retry(key: string): void {
    this.#outgoing.retry(key);
  }

  discard(key: string): void {
    this.#outgoing.discard(key);
  }

  /** Shows `apply` until the gateway has answered, and then what `settle` makes of the answer; when it refuses, what was. */
  async change<T>(
    { seq, apply }: Change,
    asked: Promise<T>,
    settle: (message: ChatMessage, body: T) => ChatMessage,
  ): Promise<void> {
    const change = { seq, apply };
    this.#changes = [...this.#changes, change];
    this.live.changed();
    try {
      const body = await asked;
      const known = this.#timeline.find(seq);
      if (known !== undefined) this.#timeline.hear(settle(known, body));
    } finally {
      this.#changes = this.#changes.filter((each) => each !== change);
      this.live.changed();
    }
  }

  react(seq: number, emoji: string, on: boolean): Promise<void> {
    const apply = (message: ChatMessage) => reacted(message, emoji, on);
    const asked = this.ask<{ revision: number }>("chat_react", { seq, emoji, on });
    return this.change({ seq, apply }, asked, (message, { revision }) => {
      const next = apply(message);
      // Heard of by the channel already, perhaps: then only that it is one's own is new.
      const last = Math.max(revision, message.revision ?? 0);
      if (last > (message.revision ?? 0)) return withReactions(next, next.reactions, last);
      this.#timeline.update(seq, (known) => withOwnReaction(known, emoji, on));
      return message;
    });
  }

  /** The latest message that is known of. */
  get top(): number {
    return Math.max(this.#room?.top ?? 0, this.#timeline.end);
  }

  addReceipts(receipts: readonly ChatReceipt[]): void {
    const me = this.#userId();
    const others = receipts.filter(({ user }) => user !== me);
    this.#receipts = new Map([
      ...this.#receipts,
      ...others.map((each) => [each.user, each] as const),
    ]);
    this.live.changed();
  }

  /** Nobody looks at it any more: it ends as soon as all that was said is sent. Told whether to stay after all. */
  release(isWanted: () => boolean, onClosed: () => void): void {
    this.#whenIdle = () => {
      if (isWanted() || this.#outgoing.isBusy) return;
      this.#whenIdle = () => {};
      this.#close();
      onClosed();
    };
    this.#whenIdle();
  }

  #close(): void {
    for (const stop of this.#stops) stop();
    this.marks.close();
    this.subscription.unsubscribe();
    this.#end(undefined);
  }

  #onSubscribed(recovered: boolean): void {
    if (!recovered || !this.#timeline.isLoaded) this.pages.mend("everything");
    // What was told to this user, or by them, may be lost with the connection.
    else this.#countAnew();
  }

  #countAnew(): void {
    if (!this.#isAnonymous()) this.marks.refresh();
  }

  async #learn(): Promise<void> {
    await this.#learnRoom();
    if (!this.#isAnonymous()) this.marks.know(await this.ask<ChatMarksBody>("chat_read", {}));
  }

  async #learnRoom(): Promise<void> {
    this.#room = await this.ask<WireRoom>("chat_room", {}).catch((error: AldisError) => {
      // Its messages were read a moment ago: a room that nobody has said anything in yet is not there (CT4).
      if (error.code === "forbidden") return undefined;
      throw error;
    });
    this.live.changed();
  }

  #onEvent(event: string | undefined, data: unknown): void {
    if (event === "chat.message") this.#onMessage(data as ChatPublications["chat.message"]);
    else if (event === "chat.edited" || event === "chat.deleted") {
      this.#onChanged(data as ChatPublications["chat.edited"]);
    } else if (event === "chat.reaction") {
      this.#onReaction(data as ChatPublications["chat.reaction"]);
    } else if (event === "chat.room") this.#onRoom(data as ChatPublications["chat.room"]);
    else if (event === "chat.room_deleted") this.#onDeleted();
  }

  /** A public one is empty then, and goes on when somebody says something; of a private one the subscription ends. */
  #onDeleted(): void {
    this.#room = undefined;
    this.#timeline.clear();
    this.marks.markRead(this.top, this.top);
    this.live.changed();
  }

  #onRoom({ room }: ChatPublications["chat.room"]): void {
    const role = this.#room?.role;
    const top = Math.max(room.top, this.#room?.top ?? 0);
    this.#room = role === undefined ? { ...room, top } : { ...room, top, role };
    this.live.changed();
  }

  #onMessage({ message, idempotencyKey }: ChatPublications["chat.message"]): void {
    const isOwn = message.from !== undefined && message.from.id === this.#userId();
    const { seq } = message;
    if (seq > this.top && !isOwn) this.marks.noteNew(seq);
    this.#timeline.hear(message);
    if (this.#room === undefined) {
      // The first word has made the room. Asked again when the next one comes, should it fail.
      if (this.#state === "live") this.#learnRoom().catch(() => {});
    } else if (seq > this.#room.top) {
      this.#room = { ...this.#room, top: seq, activeAt: message.at };
    }
    if (isOwn && idempotencyKey !== undefined) {
      const { room, id, at } = message;
      this.#outgoing.confirm(idempotencyKey, { room, seq, id, at });
    }
    if (!isOwn && this.#options.delivered && !this.#isAnonymous()) this.marks.markDelivered(seq);
    if (this.#timeline.isMissingSome) this.pages.mend("end");
    this.live.changed();
  }

  #onChanged({ message }: ChatPublications["chat.edited"]): void {
    const gone = message.deletedAt !== undefined && message.seq > this.marks.read;
    if (gone && this.marks.unread > 0) this.marks.refresh();
    this.#timeline.hear(message);
    this.live.changed();
  }

  #onReaction(heard: ChatPublications["chat.reaction"]): void {
    const isMe = heard.user === this.#userId();
    this.pages.change(heard.seq, (known) => withHeard(known, heard, isMe));
    this.live.changed();
  }

  #onPush(action: string, data: unknown): void {
    if ((data as { room?: unknown } | null)?.room !== this.name) return;
    if (action === "chat_read") this.marks.know(data as ChatMarksBody);
    else if (action === "chat_receipts") this.addReceipts((data as ChatReceiptsPush).receipts);
    else if (action === "chat_member") this.#onMember(data as ChatMemberPush);
  }

  #onMember({ role }: ChatMemberPush): void {
    if (this.#room === undefined) return;
    const { role: _, ...room } = this.#room;
    this.#room = role === undefined ? room : { ...room, role };
    this.live.changed();
  }

  /** The publication may have come before; then this is no news. */
  #onSent(item: Outgoing, body: ChatSentBody): void {
    this.#timeline.hear(saidMessage(item, body, this.#me()));
    if (this.#timeline.isMissingSome) this.pages.mend("end");
    this.live.changed();
  }

  #me() {
    const { state } = this.#client;
    if (state.name !== "connected") return undefined;
    const { id, name, avatar } = state.user;
    return { id, ...(name && { name }), ...(avatar && { avatar }) };
  }

  #lastUserId: string | undefined;

  #userId(): string | undefined {
    const { state } = this.#client;
    if (state.name === "connected") this.#lastUserId = state.user.id;
    return this.#lastUserId;
  }

  #isAnonymous(): boolean {
    const { state } = this.#client;
    return state.name === "connected" && state.user.anonymous === true;
  }

  #end(error: AldisError | undefined): void {
    if (this.isEnded) return;
    this.pages.close();
    this.#state = "ended";
    this.#error = error;
    this.live.changed();
  }

  #snapshot(): ChatRoomView {
    const timeline = this.#timeline;
    return {
      state: this.#state,
      error: this.#error,
      room: this.#room,
      messages: this.#shown(),
      outgoing: this.#outgoing.items,
      hasOlder: timeline.hasOlder,
      hasNewer: timeline.hasNewer,
      read: this.marks.read,
      unread: this.marks.unread,
      receipts: this.#receipts,
    };
  }

  #shown(): readonly ChatItem[] {
    if (this.#changes.length === 0) return this.#timeline.messages;
    return this.#timeline.messages.map((message) => {
      const changes = this.#changes.filter(({ seq }) => seq === message.seq);
      if (changes.length === 0) return message;
      return { ...changes.reduce((item, { apply }) => apply(item), message), changing: true };
    });
  }
}
