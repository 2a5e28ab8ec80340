/**
 * What an API key may be used for. `publish`: into channels; `send`: to users and connections; `read`: history, presence and the lists;
 * `control`: who is subscribed and who stays; `namespaces`: their options; `chat`: its rooms, for any user; `metrics`: the gateway's own figures, of all tenants together; `cluster`:
 * the nodes themselves; `notifications`: sending, listing, acknowledging and withdrawing any user's; `users`: the directory and block lists; `usage`: what the tenant has used; `webhooks`: endpoints, and what is sent to them.
 */
export const SCOPES = [
  "publish",
  "send",
  "read",
  "control",
  "namespaces",
  "chat",
  "notifications",
  "users",
  "usage",
  "webhooks",
  "metrics",
  "cluster",
] as const;

export type Scope = (typeof SCOPES)[number];

/**
 * `*` stands for all that there are, those of later versions too. But the figures of all tenants are for a key that names
 * `metrics`, unless no other tenant has a key (P2), and only a key that names `cluster` may act on the nodes, which are everybody's.
 */
export function scopesOf(
  listed: readonly (Scope | "*")[],
  { oneTenant }: { readonly oneTenant: boolean },
): ReadonlySet<Scope> {
  const all = SCOPES.filter((scope) => scope !== "cluster" && (scope !== "metrics" || oneTenant));
  return new Set(listed.flatMap((scope) => (scope === "*" ? all : [scope])));
}
