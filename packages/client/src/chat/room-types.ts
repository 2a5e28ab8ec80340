import type {
  ChatMessage,
  ChatReceipt,
  ChatSearchBody,
  ChatSentBody,
  Json,
  ChatRoom as WireRoom,
} from "@aldis/protocol";
import type { Subscription } from "../api.ts";
import type { Listener } from "../emitter.ts";
import type { AldisError } from "../errors.ts";
import type { ChatDraft, Outgoing } from "./outgoing.ts";

/** A message that the gateway has. `changing`: an edit, deletion or reaction of this client is on its way, and shown already. */
export type ChatItem = ChatMessage & { readonly changing?: true };

/** A room as this client sees it. Immutable; the same object as long as nothing has changed. */
export type ChatRoomView = {
  /** `loading` until the first messages are there; `ended`: left, refused, deleted or closed, see `error`. */
  readonly state: "loading" | "live" | "ended";
  readonly error: AldisError | undefined;
  /** Title, access, one's role; undefined until it is known. */
  readonly room: WireRoom | undefined;
  /** In order of `seq`, without gaps. */
  readonly messages: readonly ChatItem[];
  /** What one has said and the gateway has not confirmed: to be shown after the messages. */
  readonly outgoing: readonly Outgoing[];
  /** There are older ones ({@link ChatRoom.loadOlder}), and after a jump into the past newer ones. */
  readonly hasOlder: boolean;
  readonly hasNewer: boolean;
  /** All up to this `seq` has been read by this user, on whatever device. */
  readonly read: number;
  /** Others' messages after it; 100 means 100 or more. */
  readonly unread: number;
  /** How far others are, as far as it was told or loaded. */
  readonly receipts: ReadonlyMap<string, ChatReceipt>;
};

/**
 * One room, open: it loads the latest messages, follows what is said, and mends what a break or a lost message has left out. Every call of `client.chat` for a
 * room gives a handle of its own on one common state; `close` ends that handle;
 * what was said goes on being sent after the last one is closed, as long as the client is not.
 */
export type ChatRoom = {
  /** Its channel: `chat:lobby`. */
  readonly name: string;
  readonly view: ChatRoomView;
  /** Told once for all changes of a turn. Returns the function that removes the listener. */
  onChange(listener: Listener<ChatRoomView>): () => void;
  /** For `typing`, `presence` and the application's own events. */
  readonly subscription: Subscription;
  /**
   * Says something: in {@link ChatRoomView.outgoing} at once, repeated over breaks until the gateway has it, exactly once, in the order said. Resolves
   * when the store has committed it; rejects when it was refused for good, and it stays as `failed`.
   */
  send(what: string | ChatDraft): Promise<ChatSentBody>;
  /** Once more what has failed. */
  retry(key: string): void;
  discard(key: string): void;
  /** Replaces one's own message as a whole. Shown at once; as it was when the gateway refuses. */
  edit(seq: number, what: { readonly text?: string; readonly data?: Json }): Promise<void>;
  delete(seq: number): Promise<void>;
  react(seq: number, emoji: string, on?: boolean): Promise<void>;
  loadOlder(limit?: number): Promise<void>;
  loadNewer(limit?: number): Promise<void>;
  /** Shows an older message with what stands around it. */
  loadAround(seq: number): Promise<void>;
  /** Back to what is said now. */
  loadLatest(): Promise<void>;
  /** Up to and including `seq`; without: everything. */
  markRead(seq?: number): void;
  loadReceipts(): Promise<void>;
  search(q: string, before?: number): Promise<ChatSearchBody>;
  close(): void;
};
