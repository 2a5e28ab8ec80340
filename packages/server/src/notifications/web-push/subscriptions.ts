import {
  type Clock,
  type Outbound,
  type Records,
  refusal,
  type TenantId,
  Unavailable,
} from "../../plugins/index.ts";
import type { WebPushConfig } from "../config.ts";
import { hashOf } from "../names.ts";
import { SUBSCRIPTIONS, type SubscriptionRecord } from "../records.ts";
import { areKeys, type Subscription } from "./encrypt.ts";

export type SubscriptionsDeps = {
  readonly clock: Clock;
  readonly config: Pick<WebPushConfig, "subscriptionsPerUser">;
  readonly http: Pick<Outbound, "problemOf">;
  records(collection: typeof SUBSCRIPTIONS): Records<SubscriptionRecord>;
};

/** Two devices of a user at once may make a few more than there may be. */
const LIST_MAX = 200;
const ATTEMPTS = 10;

/** Where a user's browsers are to be called. */
export class Subscriptions {
  readonly #deps: SubscriptionsDeps;
  readonly #records: Records<SubscriptionRecord>;

  constructor(deps: SubscriptionsDeps) {
    this.#deps = deps;
    this.#records = deps.records(SUBSCRIPTIONS);
  }

  /** NT13. Throws `bad_request` for what must not, or cannot, be called. */
  async add(tenant: TenantId, user: string, subscription: Subscription): Promise<void> {
    this.#check(subscription);
    const endpoint = hashOf(subscription.endpoint);
    const record = { user, endpoint, at: this.#deps.clock.nowMs(), subscription };
    await this.#put(tenant, record);
    const all = await this.of(tenant, user);
    const oldest = [...all].sort((one, other) => one.at - other.at);
    const surplus = oldest.slice(
      0,
      Math.max(0, all.length - this.#deps.config.subscriptionsPerUser),
    );
    await Promise.all(surplus.map((each) => this.#removeRecord(tenant, each)));
  }

  /** A browser in which somebody else has signed in before: what is theirs is not to be shown here any more. The last of several at once has it. */
  async #put(tenant: TenantId, record: SubscriptionRecord): Promise<void> {
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const { written, record: held } = await this.#records.put(tenant, record);
      if (written) return;
      await this.#removeRecord(tenant, held);
    }
    throw new Unavailable("others subscribe with the same browser");
  }

  #check(subscription: Subscription): void {
    if (!areKeys(subscription)) throw refusal("bad_request", "`keys` must be those of a browser");
    // By its looks alone: whether a name exists inside our network is not for users to learn.
    if (this.#deps.http.problemOf(subscription.endpoint) !== undefined) {
      throw refusal("bad_request", "`endpoint` must be an https URL of a public push service");
    }
  }

  async of(tenant: TenantId, user: string): Promise<readonly SubscriptionRecord[]> {
    return await this.#records.list(tenant, { index: "key", same: { user }, limit: LIST_MAX });
  }

  /** `endpoint` is the hash of it. */
  async find(
    tenant: TenantId,
    user: string,
    endpoint: string,
  ): Promise<SubscriptionRecord | undefined> {
    return await this.#records.get(tenant, { user, endpoint });
  }

  async remove(tenant: TenantId, user: string, endpoint: string): Promise<void> {
    await this.#records.remove(tenant, { user, endpoint: hashOf(endpoint) });
  }

  /** Unless the browser has subscribed anew meanwhile. */
  async forget(tenant: TenantId, record: SubscriptionRecord): Promise<void> {
    await this.#removeRecord(tenant, record);
  }

  async #removeRecord(
    tenant: TenantId,
    { user, endpoint, at }: SubscriptionRecord,
  ): Promise<boolean> {
    return await this.#records.remove(tenant, { user, endpoint }, { at: { is: at } });
  }
}
