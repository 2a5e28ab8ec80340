import type { Call } from "../calling/call.ts";
import { createListing, type Listing, type ListOptions, listBy } from "../calling/listing.ts";
import type { Answer, Body, Query } from "../operations.ts";
import { type CallOptions, split } from "../options.ts";
import { createRooms } from "./rooms.ts";

export type ChatPage = Answer<"getChatHistory">;
export type ChatMessage = ChatPage["messages"][number];
type HistoryQuery = Query<"getChatHistory">;
type SearchQuery = Query<"getChatSearch">;

/** What is said names the room; the rest is what the user of this call may leave out. */
type In<T> = Omit<T, "room">;

export function createChat(call: Call) {
  return Object.assign(createMessages(call), createMarks(call), createRooms(call));
}

function createMessages(call: Call) {
  return {
    /** Says something in a room, as `user`; without, as the backend itself. Repeated, it is said once all the same. */
    send: (room: string, message: In<Body<"postChatSend">>, options?: CallOptions) =>
      call("postChatSend", { body: { ...message, room } }, options),

    /**
     * What was said. `page()` is one page in order of `seq`; `for await` goes on from there: with `after` forwards, else from the newest back
     * to the oldest.
     */
    history(room: string, given: In<ListOptions<"getChatHistory">> = {}) {
      const { fields, options } = split(given);
      const get = (query: HistoryQuery, how: CallOptions) => call("getChatHistory", { query }, how);
      return chatListing(get, { ...fields, room }, options);
    },

    /** Messages of a room that hold the words of `text`, newest first. */
    search(
      room: string,
      text: string,
      given: Omit<ListOptions<"getChatSearch">, "q" | "room"> = {},
    ) {
      const { fields, options } = split(given);
      return createListing<ChatMessage, Answer<"getChatSearch">, SearchQuery>(
        {
          get: (query, how) => call("getChatSearch", { query }, how),
          items: ({ messages }) => messages,
          after: ({ next }, query) => (next === undefined ? undefined : { ...query, before: next }),
        },
        { ...fields, room, q: text },
        options,
      );
    },

    /** With `version` only if nobody has changed it since; such an edit is not sent again when the answer is lost. */
    edit(room: string, edit: In<Body<"postChatMessagesEdit">>, options?: CallOptions) {
      const repeatable = edit.version === undefined;
      return call("postChatMessagesEdit", { body: { ...edit, room }, repeatable }, options);
    },

    react: (room: string, reaction: In<Body<"postChatMessagesReact">>, options?: CallOptions) =>
      call("postChatMessagesReact", { body: { ...reaction, room } }, options),

    /** Leaves a place without words. */
    remove: (room: string, which: In<Body<"postChatMessagesDelete">>, options?: CallOptions) =>
      call("postChatMessagesDelete", { body: { ...which, room } }, options),
  };
}

function chatListing(
  get: (query: HistoryQuery, options: CallOptions) => Promise<ChatPage>,
  query: HistoryQuery,
  options: CallOptions,
): Listing<ChatMessage, ChatPage> {
  const forwards = query.after !== undefined;
  const items = ({ messages }: ChatPage) => (forwards ? messages : [...messages].reverse());
  const after = ({ messages, older, newer }: ChatPage, { around: _, ...asked }: HistoryQuery) => {
    const edge = messages.at(forwards ? -1 : 0)?.seq;
    if (edge === undefined || !(forwards ? newer : older)) return undefined;
    return { ...asked, ...(forwards ? { after: edge } : { before: edge }) };
  };
  return createListing({ get, items, after }, query, options);
}

function createMarks(call: Call) {
  const receipts = listBy(call, "getChatReceipts", (page) => page.receipts);
  const unread = listBy(call, "getChatUnread", (page) => page.rooms);
  return {
    /** How far a user has read, or got, what is said in a room. Marks only go forwards. */
    markRead: (room: string, mark: In<Body<"postChatMessagesMarkRead">>, options?: CallOptions) =>
      call("postChatMessagesMarkRead", { body: { ...mark, room } }, options),

    /** How far each member has read. */
    receipts: (room: string, options: In<ListOptions<"getChatReceipts">> = {}) =>
      receipts({ ...options, room }),

    /** A user's rooms with how much they have not read. */
    unread: (user: string, options: Omit<ListOptions<"getChatUnread">, "user"> = {}) =>
      unread({ ...options, user }),
  };
}
