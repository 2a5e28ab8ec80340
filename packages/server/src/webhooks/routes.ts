// Webhooks over HTTP (docs/protocol.md, section Webhooks).
import type { PluginRoute } from "../plugins/index.ts";
import { deadRoutes } from "./dead-routes.ts";
import { endpointRoutes } from "./endpoint-routes.ts";
import type { Parts } from "./parts.ts";
import { secretRoutes } from "./secret-routes.ts";
import { statusRoutes } from "./status-routes.ts";

export function createRoutes(parts: Parts): readonly PluginRoute[] {
  return [
    ...endpointRoutes(parts),
    ...secretRoutes(parts),
    ...statusRoutes(parts),
    ...deadRoutes(parts),
  ];
}
