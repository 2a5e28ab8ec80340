/**
 * What an API key may be used for. `publish`: into channels; `send`: to users and connections; `read`: history, presence and the lists;
 * `control`: who is subscribed and who stays; `namespaces`: their options; `chat`: its rooms, for any user; `metrics`: the gateway's own figures, of all tenants together; `cluster`:
 * the nodes themselves; `notifications`: sending, listing, acknowledging and withdrawing any user's; `users`: the directory and block lists; `usage`: what the tenant has used; `webhooks`: endpoints, and what is sent to them; `backend`: which backend is called, and for what;
 * `tenants`: all tenants, and acting for any of them.
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
  "backend",
  "metrics",
  "cluster",
  "tenants",
] as const;

export type Scope = (typeof SCOPES)[number];

/** What is everybody's: only a key that names it holds it. */
const OF_ALL: readonly Scope[] = ["cluster", "tenants"];

/** What a key that was made at run time may hold: nothing that reaches beyond its tenant (P2). */
export const SCOPES_AT_RUN_TIME: readonly Scope[] = SCOPES.filter(
  (scope) => scope !== "metrics" && !OF_ALL.includes(scope),
);

/**
 * `*` stands for all that there are, those of later versions too. But the figures of all tenants are for a key that names
 * `metrics`, unless no other tenant has a key (P2), and only a key that names them may act on the nodes (`cluster`) and the tenants (`tenants`), which are
 * everybody's.
 */
export function scopesOf(
  listed: readonly (Scope | "*")[],
  { oneTenant }: { readonly oneTenant: boolean },
): ReadonlySet<Scope> {
  const all = SCOPES.filter(
    (scope) => !OF_ALL.includes(scope) && (scope !== "metrics" || oneTenant),
  );
  return new Set(listed.flatMap((scope) => (scope === "*" ? all : [scope])));
}
