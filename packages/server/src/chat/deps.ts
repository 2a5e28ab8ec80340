import type { PluginContext, Records } from "../plugins/index.ts";
import type { Activity } from "./activity.ts";
import type { Admit } from "./admission.ts";
import type { MemberRecord, MessageRecord, RoomRecord } from "./collections.ts";
import type { ChatConfig } from "./config.ts";
import type { KnownRooms } from "./known-rooms.ts";
import type { MarkNews } from "./mark-news.ts";
import type { Outsiders } from "./outsiders.ts";
import type { Publications } from "./publications.ts";
import type { Turns } from "./turns.ts";

/** What the parts of chat are made of. */
export type ChatDeps = {
  readonly context: PluginContext<ChatConfig>;
  readonly rooms: Records<RoomRecord>;
  readonly members: Records<MemberRecord>;
  readonly messages: Records<MessageRecord>;
  readonly known: KnownRooms;
  readonly outsiders: Outsiders;
  readonly publications: Publications;
  readonly activity: Activity;
  readonly news: MarkNews;
  readonly turns: Turns;
  readonly admit: Admit;
};
