// The directory over HTTP (US10 to US12).
import type { PluginRoute } from "../plugins/index.ts";
import { blockRoutes } from "./block-routes.ts";
import { changeRoutes } from "./change-routes.ts";
import type { MyBlocks } from "./my-blocks.ts";
import { type ReadRouteDeps, readRoutes } from "./read-routes.ts";
import type { Upserts } from "./upserts.ts";

export type RouteDeps = ReadRouteDeps & {
  readonly blocks: MyBlocks;
  readonly upserts: Upserts;
};

export function usersRoutes(deps: RouteDeps): PluginRoute[] {
  return [...readRoutes(deps), ...changeRoutes(deps.upserts), ...blockRoutes(deps.blocks)];
}
