// Secrets that tenants sign their own tokens with, as this node knows them.

import type { OwnSecrets } from "../auth/own-secrets.ts";
import { createHmacSha256, type HmacSha256 } from "../crypto/hmac-sha256.ts";
import { getOrCreate } from "../get-or-create.ts";
import type { Sealing } from "../secrets/sealing.ts";
import type { Clock } from "../time/clock.ts";
import type { TokenSecretRecord } from "./records.ts";
import type { TenantId } from "./tenant.ts";

type Entry = {
  /** Undefined: it cannot be opened here. */
  readonly secret: Uint8Array | undefined;
  /** Made when the first token comes: it holds buffers, and most tenants are quiet. */
  hmac: HmacSha256 | undefined;
  readonly expiresAtMs: number;
};

/** Where a token secret is sealed for. */
export function placeOfSecret(tenant: TenantId, id: string): string {
  return `token-secret/${tenant}/${id}`;
}

export class TokenSecrets implements Pick<OwnSecrets, "size" | "of"> {
  readonly #clock: Pick<Clock, "nowMs">;
  readonly #sealing: Sealing;
  readonly #byTenant = new Map<TenantId, Map<string, Entry>>();
  readonly #onUnusable: (tenant: TenantId, id: string) => void;

  constructor(
    clock: Pick<Clock, "nowMs">,
    sealing: Sealing,
    onUnusable: (tenant: TenantId, id: string) => void,
  ) {
    this.#clock = clock;
    this.#sealing = sealing;
    this.#onUnusable = onUnusable;
  }

  get size(): number {
    return this.#byTenant.size;
  }

  of(tenant: TenantId): readonly HmacSha256[] | "unusable" | undefined {
    const own = this.#byTenant.get(tenant);
    if (own === undefined) return undefined;
    const nowMs = this.#clock.nowMs();
    const live = [...own.values()].filter(({ expiresAtMs }) => expiresAtMs > nowMs);
    const hmacs = live.flatMap((entry) => hmacOf(entry) ?? []);
    return hmacs.length === 0 && live.length > 0 ? "unusable" : hmacs;
  }

  apply(tenant: TenantId, id: string, record: TokenSecretRecord | undefined): void {
    if (record === undefined) {
      const own = this.#byTenant.get(tenant);
      own?.delete(id);
      if (own?.size === 0) this.#byTenant.delete(tenant);
      return;
    }
    const secret = this.#sealing.open(placeOfSecret(tenant, id), record.sealed);
    if (secret === undefined) this.#onUnusable(tenant, id);
    const entry: Entry = {
      secret: secret === undefined ? undefined : new TextEncoder().encode(secret),
      hmac: undefined,
      expiresAtMs: record.expiresAt ?? Number.POSITIVE_INFINITY,
    };
    getOrCreate(this.#byTenant, tenant, () => new Map<string, Entry>()).set(id, entry);
  }

  owners(): Iterable<TenantId> {
    return this.#byTenant.keys();
  }

  idsOf(tenant: TenantId): Iterable<string> {
    return this.#byTenant.get(tenant)?.keys() ?? [];
  }
}

function hmacOf(entry: Entry): HmacSha256 | undefined {
  if (entry.secret !== undefined) entry.hmac ??= createHmacSha256(entry.secret);
  return entry.hmac;
}
