// What API keys and token secrets of tenants have in common: how one ends, and how it goes.
import type { Clock } from "../time/clock.ts";
import type { Step } from "./follower.ts";
import type { Author } from "./records.ts";
import type { TenantId } from "./tenant.ts";

export type WhichCredential = { readonly tenant: TenantId; readonly id: string };

type Ending = { readonly expiresAt?: number | undefined };
type Id = { readonly id: string };

export type CredentialDeps<R extends Ending> = {
  readonly clock: Clock;
  readonly kind: "key" | "token-secret";
  readonly records: {
    get(tenant: TenantId, key: Id): Promise<R | undefined>;
    update(tenant: TenantId, key: Id, change: { expiresAt: number }): Promise<R | undefined>;
    remove(tenant: TenantId, key: Id): Promise<boolean>;
  };
  /** It stands so now, or is gone. */
  applied(step: Step, which: WhichCredential, record: R | undefined): void;
};

type Entry<R> = {
  readonly by: Author;
  readonly action: string;
  detailOf?(record: R): object;
};

export class Credentials<R extends Ending> {
  readonly #deps: CredentialDeps<R>;

  constructor(deps: CredentialDeps<R>) {
    this.#deps = deps;
  }

  isOver({ expiresAt }: R): boolean {
    return expiresAt !== undefined && expiresAt <= this.#deps.clock.nowMs();
  }

  /** It ends so long from now, unless it ends before. Gives when. */
  async endIn(step: Step, which: WhichCredential, former: R, ms: number): Promise<number> {
    const { clock, records, applied } = this.#deps;
    const endsAt = Math.min(former.expiresAt ?? Number.MAX_SAFE_INTEGER, clock.nowMs() + ms);
    const { tenant, id } = which;
    applied(step, which, await records.update(tenant, { id }, { expiresAt: endsAt }));
    return endsAt;
  }

  /** First its end, then the word, then the record: wherever this breaks off, asking again goes on. Gives what it was; undefined: there was none. */
  async revoke(step: Step, which: WhichCredential, entry: Entry<R>): Promise<R | undefined> {
    const { records, applied } = this.#deps;
    const { tenant, id } = which;
    const former = await records.get(tenant, { id });
    if (former === undefined) return undefined;
    await this.endIn(step, which, former, 0);
    const { by, action, detailOf } = entry;
    await this.log(step, which, { by, action, detail: detailOf?.(former) });
    await records.remove(tenant, { id });
    applied(step, which, undefined);
    return former;
  }

  log(
    step: Step,
    { tenant, id }: WhichCredential,
    entry: { readonly by: Author; readonly action: string; readonly detail?: object | undefined },
  ): Promise<void> {
    return step.log({ kind: this.#deps.kind, about: tenant, subject: id, ...entry });
  }
}
