import { type Fields, refuse } from "@aldis/protocol";
import type { Namespaces } from "../channel/namespaces.ts";
import { namespaceName, namespaceSchema } from "../config/namespace-schema.ts";
import type { TenantId } from "../tenant/tenant.ts";
import type { ApiAnswer } from "./api-answer.ts";

/** HT2: namespaces of the key's tenant, as they are in force. */
export function listNamespaces(namespaces: Namespaces, tenant: TenantId): ApiAnswer {
  const list = namespaces.list(tenant).map(({ name, options }) => ({ name, ...options }));
  return { ok: true, value: { namespaces: list } };
}

export function putNamespace(
  namespaces: Namespaces,
  tenant: TenantId,
  asked: { readonly name: string; readonly body: Fields },
): ApiAnswer {
  const name = namespaceName.safeParse(asked.name);
  if (!name.success) return refuse("bad_request", "the name breaks the grammar of namespaces");
  const options = namespaceSchema.safeParse(asked.body);
  if (!options.success) {
    const problems = options.error.issues.map(({ path, message }) =>
      path.length === 0 ? message : `${path.join(".")}: ${message}`,
    );
    return refuse("bad_request", problems.join("; "));
  }
  if (!namespaces.change(tenant, name.data, options.data)) {
    return refuse("limit_reached", "too many namespaces changed");
  }
  return { ok: true, value: { name: name.data, ...options.data } };
}

export function deleteNamespace(namespaces: Namespaces, tenant: TenantId, name: string): ApiAnswer {
  return namespaces.reset(tenant, name)
    ? { ok: true, value: { name } }
    : refuse("not_found", "nothing was changed there");
}
