import {
  definePlugin,
  onceForAll,
  type PluginContext,
  type PluginParts,
} from "../plugins/index.ts";
import { createActions } from "./actions.ts";
import { chatPlan } from "./collections.ts";
import { type ChatConfig, chatSchema } from "./config.ts";
import { createDeps } from "./create-deps.ts";
import { createHooks } from "./hooks.ts";
import { createRoutes } from "./routes.ts";
import { createUpkeep } from "./upkeep.ts";

/** Rooms with a memory, see docs/protocol.md, section Chat. */
export const chat = definePlugin<ChatConfig>({
  name: "chat",
  config: chatSchema,
  store: chatPlan,
  setup,
});

function setup(context: PluginContext<ChatConfig>): PluginParts<ChatConfig> {
  const deps = createDeps(context);
  onceForAll(context, "upkeep", context.config.upkeepMs, createUpkeep(deps));
  return {
    actions: createActions(deps),
    routes: createRoutes(deps),
    hooks: createHooks(deps),
    async close() {
      deps.news.close();
      deps.publications.close();
      await deps.activity.close();
    },
  };
}
