import { z } from "zod";
import { type NamespaceOptions, namespaceSchema } from "../config/namespace-schema.ts";
import { keptNamespaceChanges } from "../reach/kept-namespaces.ts";
import { createNamespaceChanges, type NamespaceChanges } from "../reach/namespace-changes.ts";
import { reviewTenant } from "../session/review.ts";
import type { TenantId } from "../tenant/tenant.ts";
import type { SessionParts } from "./session-parts.ts";
import type { Shared } from "./shared-parts.ts";

/** Another node may be of a later version: options that it knows alone are passed over. */
const optionsOfOthers = z.object(namespaceSchema.shape);

/** The changes of namespaces, here and on other nodes. Sessions are held to what then holds. */
export function namespaceChanges(shared: Shared, session: SessionParts): NamespaceChanges {
  const onChange = (tenant: TenantId) => reviewTenant(session.deps, tenant);
  const { kept } = shared.tenancy;
  if (kept === undefined)
    return createNamespaceChanges({ ...shared, parse: parseOptions, onChange });
  shared.tenancy.onNamespaces.push(onChange);
  return keptNamespaceChanges({ ...shared, ...kept, records: kept.namespaceRecords });
}

/** Options of another version of the gateway. */
export function parseOptions(value: unknown): NamespaceOptions | undefined {
  return optionsOfOthers.safeParse(value).data;
}
