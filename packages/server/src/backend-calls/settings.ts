// A tenant's backend as it is set over HTTP. What is changed is told to the other nodes at once.
import {
  type Clock,
  newSecret,
  type Outbound,
  type PluginContext,
  type Records,
  refusal,
  type TenantId,
} from "../plugins/index.ts";
import type { BackendCallsConfig } from "./config.ts";
import type { KnownBackends } from "./known-backends.ts";
import { BACKEND, type BackendSettings, type SettingsRecord } from "./records.ts";

export type SettingsDeps = {
  readonly clock: Clock;
  readonly random: PluginContext["random"];
  readonly config: Pick<BackendCallsConfig, "timeoutMaxMs">;
  readonly http: Pick<Outbound, "problemOf">;
  readonly records: Records<SettingsRecord>;
  readonly known: Pick<KnownBackends, "isFixed">;
  /** Has all nodes know of it, this one before it resolves. Never rejects. */
  changed(tenant: TenantId): Promise<void>;
};

/** Without a secret the former one stays, or one is made. */
export type GivenSettings = Omit<BackendSettings, "secret"> & {
  readonly secret?: string | undefined;
};

const TRIES = 5;

export class Settings {
  readonly #deps: SettingsDeps;

  constructor(deps: SettingsDeps) {
    this.#deps = deps;
  }

  async get(tenant: TenantId): Promise<BackendSettings> {
    this.#checkOwn(tenant);
    const found = await this.#deps.records.get(tenant, { name: BACKEND });
    if (found === undefined) throw refusal("not_found", "no backend is set");
    return found.settings;
  }

  /** `secret`: it is new, and shown this once. `told`: awaited before anything is changed. */
  async set(
    tenant: TenantId,
    given: GivenSettings,
    told: () => Promise<void>,
  ): Promise<{ readonly settings: BackendSettings; readonly secret: string | undefined }> {
    this.#checkOwn(tenant);
    this.#check(given);
    await told();
    const { clock, random, records, changed } = this.#deps;
    for (let tries = 0; tries < TRIES; tries++) {
      const former = await records.get(tenant, { name: BACKEND });
      const secret = given.secret ?? former?.settings.secret ?? newSecret(random);
      const settings = { ...given, secret };
      // Later than its predecessor, whatever the clock says.
      const at = Math.max(clock.nowMs(), (former?.at ?? 0) + 1);
      const record = { name: BACKEND, at, settings };
      const { written } =
        former === undefined
          ? await records.insert(tenant, record)
          : await records.put(tenant, record, { at: { is: former.at } });
      if (!written) continue;
      await changed(tenant);
      const isNew = secret !== former?.settings.secret;
      return { settings, secret: isNew ? secret : undefined };
    }
    throw refusal("conflict", "somebody else sets it at the same time");
  }

  /** What is not there is removed already. */
  async remove(tenant: TenantId, told: () => Promise<void>): Promise<boolean> {
    this.#checkOwn(tenant);
    const former = await this.#deps.records.get(tenant, { name: BACKEND });
    if (former === undefined) return false;
    await told();
    const removed = await this.#deps.records.remove(tenant, { name: BACKEND });
    if (removed) await this.#deps.changed(tenant);
    return removed;
  }

  #checkOwn(tenant: TenantId): void {
    if (this.#deps.known.isFixed(tenant)) {
      throw refusal("conflict", "it is set in the gateway's config");
    }
  }

  #check({ url, timeoutMs }: GivenSettings): void {
    const problem = this.#deps.http.problemOf(url);
    if (problem !== undefined) throw refusal("bad_request", `url: ${problem}`);
    const { timeoutMaxMs } = this.#deps.config;
    if (timeoutMs > timeoutMaxMs) {
      throw refusal("bad_request", `timeoutMs: at most ${timeoutMaxMs}`);
    }
  }
}
