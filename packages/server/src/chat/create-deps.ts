import type { PluginContext } from "../plugins/index.ts";
import { createActivity } from "./activity.ts";
import { createAdmission } from "./admission.ts";
import { chatMembers, chatMessages, chatRooms } from "./collections.ts";
import type { ChatConfig } from "./config.ts";
import type { ChatDeps } from "./deps.ts";
import { createKnownRooms } from "./known-rooms.ts";
import { createMarkNews } from "./mark-news.ts";
import { createOutsiders } from "./outsiders.ts";
import { createPublications } from "./publications.ts";
import { Turns } from "./turns.ts";

/** All that keeps something, once for each gateway. */
export function createDeps(context: PluginContext<ChatConfig>): ChatDeps {
  const { config } = context;
  const rooms = context.records(chatRooms);
  const members = context.records(chatMembers);
  return {
    context,
    rooms,
    members,
    messages: context.records(chatMessages),
    known: createKnownRooms(context, rooms, members),
    outsiders: createOutsiders(context, { rooms, members }),
    publications: createPublications(context),
    activity: createActivity(context, rooms),
    news: createMarkNews(context, members),
    turns: new Turns(),
    admit: createAdmission(config.pendingMax, () => context.count("overloaded")),
  };
}
