import type { PluginContext } from "../plugins/index.ts";
import type { WebhooksConfig } from "./config.ts";

export type Context = PluginContext<WebhooksConfig>;
export type RandomIds = Context["random"];
