import { namespaceOf } from "@aldis/protocol";
import type { NamespaceOptions } from "../config/namespace-schema.ts";
import { type ChannelKey, nameOf, tenantOf } from "../tenant/tenant.ts";
import type { Namespaces } from "./namespaces.ts";

/** The options in force for a channel, by its key. */
export function channelOptions(namespaces: Namespaces): (key: ChannelKey) => NamespaceOptions {
  return (key) => namespaces.find(tenantOf(key), namespaceOf(nameOf(key))).options;
}
