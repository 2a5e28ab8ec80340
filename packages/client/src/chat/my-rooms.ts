import type {
  ChatMarksBody,
  ChatMessage,
  ChatMyRoom,
  ChatPublications,
  ChatRoomsBody,
} from "@aldis/protocol";
import type { Client, Subscription } from "../api.ts";
import type { Listener } from "../emitter.ts";
import type { Timer } from "../environment.ts";
import type { AldisError } from "../errors.ts";
import type { FeatureTools } from "../feature.ts";
import { LiveView } from "../live-view.ts";
import { UNREAD_MAX } from "./marks.ts";
import { merged } from "./merge.ts";

/** The user's rooms. Immutable; the same object as long as nothing has changed. */
export type MyRoomsView = {
  readonly state: "loading" | "live" | "ended";
  readonly error: AldisError | undefined;
  /** The latest activity first. */
  readonly rooms: readonly ChatMyRoom[];
  /** There are more than are loaded: {@link MyRooms.loadMore}. */
  readonly hasMore: boolean;
  /** Of all loaded rooms together. */
  readonly unread: number;
};

export type MyRooms = {
  readonly view: MyRoomsView;
  onChange(listener: Listener<MyRoomsView>): () => void;
  loadMore(): Promise<void>;
  close(): void;
};

/** Rooms whose channels are followed. What is said in rooms beyond these shows when the list is loaded anew. */
const FOLLOWED_MAX = 50;

/** The list of one's rooms, live: it follows the channels of those that are loaded, and hears of new ones. */
export class MyRoomsState implements MyRooms {
  readonly #client: Client;
  readonly #tools: FeatureTools;
  readonly #live: LiveView<MyRoomsView>;
  readonly #followed = new Map<string, Subscription>();
  readonly #stops: (() => void)[];
  #rooms: ReadonlyMap<string, ChatMyRoom> = new Map();
  #next: string | undefined;
  #state: MyRoomsView["state"] = "loading";
  #error: AldisError | undefined;
  #tries = 0;
  #timer: Timer | undefined;
  #isReading = false;
  /** Something has happened that a list which is being read may not have. */
  #isStale = false;
  #isClosed = false;

  constructor(client: Client, tools: FeatureTools) {
    this.#client = client;
    this.#tools = tools;
    this.#live = new LiveView(() => this.#snapshot(), tools.report);
    this.#stops = [
      client.on("push", ({ action, data }) => this.#onPush(action, data)),
      client.on("state", (state) => {
        // What was pushed meanwhile is lost, of a resumed session too.
        if (state.name === "connected") this.#reload();
        if (state.name === "closed") this.#timer?.cancel();
      }),
    ];
    this.#reload();
  }

  get view(): MyRoomsView {
    return this.#live.view;
  }

  onChange(listener: Listener<MyRoomsView>): () => void {
    return this.#live.onChange(listener);
  }

  async loadMore(): Promise<void> {
    if (this.#next !== undefined) await this.#load(this.#next);
  }

  close(): void {
    this.#isClosed = true;
    for (const stop of this.#stops) stop();
    this.#timer?.cancel();
    for (const subscription of [...this.#followed.values()]) subscription.unsubscribe();
    this.#end(undefined);
  }

  #reload(): void {
    this.#timer?.cancel();
    this.#isStale = this.#isReading;
    if (this.#isReading || this.#isClosed) return;
    this.#isReading = true;
    this.#load(undefined)
      .then(
        () => {
          this.#tries = 0;
        },
        (error: AldisError) => this.#onRefused(error),
      )
      .finally(() => {
        this.#isReading = false;
        if (this.#isStale) this.#reload();
      });
  }

  #onRefused(error: AldisError): void {
    if (this.#isClosed || error.code === "closed") return;
    if (!error.temporary) return this.#end(error);
    this.#tries++;
    const delayMs = this.#tools.retryDelayMs(this.#tries, error);
    this.#timer = this.#tools.clock.setTimer(delayMs, () => this.#reload());
  }

  async #load(cursor: string | undefined): Promise<void> {
    const body = (await this.#client.request("chat_rooms", { cursor, limit: 50 })) as ChatRoomsBody;
    if (this.#isClosed) return;
    const kept = cursor === undefined ? [] : this.#rooms;
    const heard = body.rooms.map((room) => [room.room, this.#latest(room)] as const);
    this.#rooms = new Map([...kept, ...heard]);
    this.#next = body.next;
    this.#state = "live";
    this.#error = undefined;
    this.#follow();
    this.#live.changed();
  }

  /** What was said while the list was read counts more. */
  #latest(room: ChatMyRoom): ChatMyRoom {
    const known = this.#rooms.get(room.room);
    if (known === undefined || known.top <= room.top) return room;
    const { top, activeAt, last, unread } = known;
    return { ...room, top, activeAt, unread, ...(last !== undefined && { last }) };
  }

  #follow(): void {
    for (const [room, subscription] of this.#followed) {
      if (this.#rooms.has(room)) continue;
      subscription.unsubscribe();
      this.#followed.delete(room);
    }
    for (const room of this.#rooms.keys()) {
      if (this.#followed.size >= FOLLOWED_MAX || this.#followed.has(room)) continue;
      const subscription = this.#client.subscribe(room);
      subscription.on("message", ({ event, data }) => this.#onEvent(room, event, data));
      // Ended by the gateway, or with the client: it is followed anew when a list has it.
      subscription.on("unsubscribed", () => {
        if (this.#followed.get(room) === subscription) this.#followed.delete(room);
      });
      let isFirst = true;
      subscription.on("subscribed", ({ recovered }) => {
        if (!recovered && !isFirst) this.#reload();
        isFirst = false;
      });
      this.#followed.set(room, subscription);
    }
  }

  #onEvent(name: string, event: string | undefined, data: unknown): void {
    const room = this.#rooms.get(name);
    if (room === undefined) return;
    if (event === "chat.message")
      this.#onMessage(room, (data as ChatPublications["chat.message"]).message);
    else if (event === "chat.edited" || event === "chat.deleted") {
      this.#onChanged(room, (data as ChatPublications["chat.edited"]).message);
    } else if (event === "chat.room") {
      this.#set({ ...room, ...(data as ChatPublications["chat.room"]).room, top: room.top });
    } else if (event === "chat.room_deleted") this.#remove(name);
  }

  #onMessage(room: ChatMyRoom, message: ChatMessage): void {
    if (message.seq <= room.top) return;
    const { state } = this.#client;
    const isOwn = state.name === "connected" && message.from?.id === state.user.id;
    const counts = !isOwn && message.seq > room.read;
    this.#set({
      ...room,
      top: message.seq,
      activeAt: message.at,
      last: message,
      unread: counts ? Math.min(UNREAD_MAX, room.unread + 1) : room.unread,
    });
  }

  #onChanged(room: ChatMyRoom, message: ChatMessage): void {
    if (room.last?.seq === message.seq) this.#set({ ...room, last: merged(room.last, message) });
    // Which of the unread ones were counted is the gateway's knowledge.
    if (message.deletedAt === undefined || message.seq <= room.read || room.unread === 0) return;
    this.#client.request("chat_read", { room: room.room }).then(
      (body) => this.#onMarks(body as ChatMarksBody),
      () => {},
    );
  }

  #onPush(action: string, data: unknown): void {
    if (action === "chat_read") this.#onMarks(data as ChatMarksBody);
    if (action !== "chat_member") return;
    const { room, role } = data as { room: string; role?: string };
    if (role === undefined) this.#remove(room);
    else this.#reload();
  }

  #onMarks({ room: name, read, delivered, unread }: ChatMarksBody): void {
    const room = this.#rooms.get(name);
    if (room === undefined) this.#reload();
    else if (read >= room.read) this.#set({ ...room, read, delivered, unread });
  }

  #set(room: ChatMyRoom): void {
    this.#rooms = new Map(this.#rooms).set(room.room, room);
    this.#live.changed();
  }

  #remove(name: string): void {
    this.#rooms = new Map([...this.#rooms].filter(([room]) => room !== name));
    this.#follow();
    this.#live.changed();
  }

  #end(error: AldisError | undefined): void {
    this.#state = "ended";
    this.#error = error;
    this.#live.changed();
  }

  #snapshot(): MyRoomsView {
    const rooms = [...this.#rooms.values()].sort((a, b) => b.activeAt - a.activeAt);
    return {
      state: this.#state,
      error: this.#error,
      rooms,
      hasMore: this.#next !== undefined,
      unread: rooms.reduce((sum, { unread }) => sum + unread, 0),
    };
  }
}
