import { z } from "zod";
import { namespaceSchema } from "../config/namespace-schema.ts";
import { createNamespaceChanges, type NamespaceChanges } from "../reach/namespace-changes.ts";
import { reviewTenant } from "../session/review.ts";
import type { SessionParts } from "./session-parts.ts";
import type { Shared } from "./shared-parts.ts";

/** Another node may be of a later version: options that it knows alone are passed over. */
const optionsOfOthers = z.object(namespaceSchema.shape);

/** The changes of namespaces, here and on other nodes. Sessions are held to what then holds. */
export function namespaceChanges(shared: Shared, session: SessionParts): NamespaceChanges {
  return createNamespaceChanges({
    ...shared,
    parse: (value) => optionsOfOthers.safeParse(value).data,
    onChange: (tenant) => reviewTenant(session.deps, tenant),
  });
}
