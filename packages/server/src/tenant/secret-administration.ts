// Secrets that a tenant's tokens are signed with: made, replaced and removed while the gateway runs.
import { accept, type Result, refuse } from "@aldis/protocol";
import type { RandomIds } from "../random/random.ts";
import type { Sealing } from "../secrets/sealing.ts";
import type { Records } from "../store/store.ts";
import type { Clock } from "../time/clock.ts";
import { NOT_CREATED } from "./administration.ts";
import { Credentials, type WhichCredential } from "./credentials.ts";
import type { Follower, Step } from "./follower.ts";
import type { Author, TokenSecretRecord } from "./records.ts";
import type { TenantId } from "./tenant.ts";
import type { TenantDirectory } from "./tenant-directory.ts";
import { placeOfSecret } from "./token-secrets.ts";

export type SecretAdministrationDeps = {
  readonly clock: Clock;
  readonly random: RandomIds;
  readonly directory: TenantDirectory;
  readonly follower: Pick<Follower, "change">;
  readonly records: Records<TokenSecretRecord>;
  readonly sealing: Sealing;
};

/** The secret itself is here, once. */
export type MadeSecret = { readonly secret: string; readonly record: TokenSecretRecord };

type Kept = {
  readonly live: readonly TokenSecretRecord[];
  readonly over: readonly TokenSecretRecord[];
};

/** `over`: have ended, and are removed with it. */
type NewSecret = Pick<Kept, "over"> & { readonly tenant: TenantId; readonly inPlaceOf?: string };

/** One, and the one that takes its place. */
const LIVE_MAX = 2;
/** With those that have ended and were not removed yet. */
const KEPT_MAX = 20;
const SECRET_BYTES = 32;
const ID_BYTES = 12;
const CONFIGURED = refuse(
  "conflict",
  "the gateway's configuration names this tenant: its tokens are judged by what that trusts",
);
/** The same for one of another tenant (P2). */
const NO_SECRET = refuse("not_found", "no such token secret");

export class SecretAdministration {
  readonly #deps: SecretAdministrationDeps;
  readonly #secrets: Credentials<TokenSecretRecord>;

  constructor(deps: SecretAdministrationDeps) {
    this.#deps = deps;
    this.#secrets = new Credentials({
      ...{ ...deps, kind: "token-secret" },
      applied: (step, { tenant, id }, record) => step.applied("token-secret", tenant, id, record),
    });
  }

  create(by: Author, tenant: TenantId): Promise<Result<MadeSecret>> {
    return this.#deps.follower.change(async (step) => {
      const kept = await this.#kept(tenant);
      if (!kept.ok) return kept;
      if (kept.value.live.length >= LIVE_MAX) {
        return refuse("limit_reached", "there are two already: remove one, or rotate");
      }
      return await this.#make(step, by, { tenant, over: kept.value.over });
    });
  }

  async list(tenant: TenantId): Promise<Result<readonly TokenSecretRecord[]>> {
    if (this.#refusalOf(tenant) === NOT_CREATED) return NOT_CREATED;
    return accept(await this.#deps.records.list(tenant, { index: "key", limit: KEPT_MAX }));
  }

  /** Makes another one; the former goes on for `overlapMs`. */
  rotate(
    by: Author,
    { tenant, id }: WhichCredential,
    overlapMs: number,
  ): Promise<Result<MadeSecret>> {
    return this.#deps.follower.change(async (step) => {
      const kept = await this.#kept(tenant);
      if (!kept.ok) return kept;
      const { live, over } = kept.value;
      const former = live.find((record) => record.id === id);
      if (former === undefined) return NO_SECRET;
      if (live.length >= LIVE_MAX)
        return refuse("limit_reached", "there are two already: remove one");
      const made = await this.#make(step, by, { tenant, over, inPlaceOf: id });
      const endsAt = await this.#secrets.endIn(step, { tenant, id }, former, overlapMs);
      const word = { by, action: "token_secret.rotated", detail: { endsAt } };
      await this.#secrets.log(step, { tenant, id }, word);
      return made;
    });
  }

  remove(by: Author, which: WhichCredential): Promise<Result<TokenSecretRecord>> {
    return this.#deps.follower.change(async (step) => {
      const entry = { by, action: "token_secret.removed" };
      const former = await this.#secrets.revoke(step, which, entry);
      return former === undefined ? NO_SECRET : accept(former);
    });
  }

  /** Where there may be any. */
  async #kept(tenant: TenantId): Promise<Result<Kept>> {
    const refusal = this.#refusalOf(tenant);
    if (refusal !== undefined) return refusal;
    const { records } = this.#deps;
    const all = await records.list(tenant, { index: "key", limit: KEPT_MAX });
    const isOver = (record: TokenSecretRecord) => this.#secrets.isOver(record);
    return accept({ live: all.filter((one) => !isOver(one)), over: all.filter(isOver) });
  }

  #refusalOf(tenant: TenantId) {
    const { directory } = this.#deps;
    if (directory.isConfigured(tenant)) return CONFIGURED;
    return directory.isRegistered(tenant) ? undefined : NOT_CREATED;
  }

  async #make(
    step: Step,
    by: Author,
    { tenant, over, inPlaceOf }: NewSecret,
  ): Promise<Result<MadeSecret>> {
    const { clock, random, records, sealing } = this.#deps;
    const secret = random.id(SECRET_BYTES);
    const id = random.id(ID_BYTES);
    const sealed = sealing.seal(placeOfSecret(tenant, id), secret);
    const { record } = await records.insert(tenant, { id, sealed, createdAt: clock.nowMs() });
    step.applied("token-secret", tenant, id, record);
    const detail = inPlaceOf === undefined ? undefined : { inPlaceOf };
    const word = { by, action: "token_secret.created", detail };
    await this.#secrets.log(step, { tenant, id }, word);
    // Not before there is another one: a tenant without any is one that the shared secrets speak for.
    for (const ended of over) await records.remove(tenant, { id: ended.id });
    return accept({ secret, record });
  }
}
