// Endpoints of tenants: added, changed, paused, removed. What is changed is told to the other nodes at once.
import {
  type Clock,
  newSecret,
  type Outbound,
  type Records,
  refusal,
  type TenantId,
} from "../plugins/index.ts";
import type { WebhooksConfig } from "./config.ts";
import type { RandomIds } from "./deps.ts";
import type { AddedEndpoint, ChangedEndpoint } from "./endpoint-fields.ts";
import type { EndpointRecord, EndpointSettings, Status } from "./records.ts";
import { badRequest, changedMeanwhile, noEndpoint } from "./refusals.ts";
import type { Told } from "./told.ts";

export type EndpointsDeps = {
  readonly clock: Clock;
  readonly random: RandomIds;
  readonly config: Pick<WebhooksConfig, "endpointsPerTenant" | "rotationMs">;
  readonly http: Pick<Outbound, "problemOf">;
  readonly endpoints: Records<EndpointRecord>;
  /** Has all nodes know of it, this one before it resolves, and the endpoint looked at. Never rejects: what is lost here is healed by looking again. */
  changed(tenant: TenantId, endpoint: string): Promise<void>;
};

type Change = {
  readonly settings?: EndpointSettings;
  readonly status?: { readonly status: Status; readonly why: string | undefined };
};

const ID_BYTES = 12;
/** How often a change is tried against others that come at the same time. */
const TRIES = 5;
/** Former secrets that sign beside the present one; the oldest goes. */
const FORMER_MAX = 1;

export class Endpoints {
  readonly #deps: EndpointsDeps;

  constructor(deps: EndpointsDeps) {
    this.#deps = deps;
  }

  /** In the order in which they were added, as far as that can be told. */
  async list(tenant: TenantId): Promise<readonly EndpointRecord[]> {
    const found = await this.#deps.endpoints.list(tenant, { index: "slot", limit: 1_000 });
    return found.toSorted((a, b) => a.at - b.at || a.slot - b.slot);
  }

  async find(tenant: TenantId, endpoint: string): Promise<EndpointRecord> {
    const found = await this.#deps.endpoints.get(tenant, { endpoint });
    if (found === undefined) throw noEndpoint();
    return found;
  }

  async add(tenant: TenantId, added: AddedEndpoint, told: Told): Promise<EndpointRecord> {
    const { clock, random } = this.#deps;
    const { secret = newSecret(random), ...settings } = added;
    this.#checkUrl(settings.url);
    const now = clock.nowMs();
    const endpoint = `we_${random.id(ID_BYTES)}`;
    await told(endpoint);
    const record = await this.#insert(tenant, {
      ...{ endpoint, slot: 0, at: now, status: "active", since: now, version: 1 },
      settings: { ...settings, secrets: [{ secret }] },
    });
    await this.#deps.changed(tenant, endpoint);
    return record;
  }

  async change(
    tenant: TenantId,
    endpoint: string,
    { url, types, namespaces, description, headers }: ChangedEndpoint,
    told: Told,
  ): Promise<EndpointRecord> {
    return await this.#apply(tenant, endpoint, told, ({ settings }) => {
      const next = {
        ...settings,
        ...(url !== undefined && { url }),
        ...(types !== undefined && { types }),
        ...(namespaces !== undefined && { namespaces }),
        ...(description !== undefined && { description }),
        ...(headers !== undefined && { headers }),
      };
      // Also what was fine before: the operator may allow less by now.
      this.#checkUrl(next.url);
      // Attack: who may change an endpoint, but was never shown its headers, has them sent to a server of their own.
      if (headers === undefined && Object.keys(settings.headers).length > 0) {
        checkSameOrigin(settings.url, next.url);
      }
      return { settings: next };
    });
  }

  /** The former secret signs, too, for `rotationMs`. */
  async rotate(
    tenant: TenantId,
    endpoint: string,
    given: string | undefined,
    told: Told,
  ): Promise<string> {
    const { clock, config, random } = this.#deps;
    const secret = given ?? newSecret(random);
    const untilMs = clock.nowMs() + config.rotationMs;
    await this.#apply(tenant, endpoint, told, ({ settings }) => {
      const former = settings.secrets
        .filter((each) => each.secret !== secret)
        .slice(0, FORMER_MAX)
        .map((each) => ({
          secret: each.secret,
          untilMs: Math.min(each.untilMs ?? untilMs, untilMs),
        }));
      return { settings: { ...settings, secrets: [{ secret }, ...former] } };
    });
    return secret;
  }

  async setStatus(
    tenant: TenantId,
    endpoint: string,
    status: NonNullable<Change["status"]>,
    told: Told,
  ): Promise<EndpointRecord> {
    return await this.#apply(tenant, endpoint, told, () => ({ status }));
  }

  /** Unless somebody has changed it since `record` was read: then it is another one that was meant. */
  async disable(
    tenant: TenantId,
    { endpoint, version }: EndpointRecord,
    why: string,
  ): Promise<void> {
    const { clock, endpoints } = this.#deps;
    const change = { status: "disabled", why, since: clock.nowMs(), version: version + 1 };
    await endpoints.update(tenant, { endpoint }, change, { version: { is: version } });
    await this.#deps.changed(tenant, endpoint);
  }

  /** What waits for it, and its dead letters, go in the background. What is not there is removed already. */
  async remove(tenant: TenantId, endpoint: string, told: Told): Promise<boolean> {
    const former = await this.#deps.endpoints.get(tenant, { endpoint });
    if (former === undefined) return false;
    await told(endpoint);
    const removed = await this.#deps.endpoints.remove(tenant, { endpoint });
    if (removed) await this.#deps.changed(tenant, endpoint);
    return removed;
  }

  /** Of two at the same time each sees what the other one did. */
  async #apply(
    tenant: TenantId,
    endpoint: string,
    told: Told,
    change: (record: EndpointRecord) => Change,
  ): Promise<EndpointRecord> {
    const { clock, endpoints } = this.#deps;
    for (let tries = 0; tries < TRIES; tries++) {
      const record = await this.find(tenant, endpoint);
      const { settings, status } = change(record);
      // Once it may be changed.
      if (tries === 0) await told(endpoint);
      const next = {
        version: record.version + 1,
        ...(settings !== undefined && { settings }),
        ...(status !== undefined && {
          ...{ status: status.status, why: status.why, since: clock.nowMs() },
        }),
      };
      const where = { version: { is: record.version } };
      const written = await endpoints.update(tenant, { endpoint }, next, where);
      if (written === undefined) continue;
      await this.#deps.changed(tenant, endpoint);
      return written;
    }
    throw changedMeanwhile();
  }

  /** Into a slot that is free; somebody else may take it at the same time. */
  async #insert(tenant: TenantId, draft: EndpointRecord): Promise<EndpointRecord> {
    const { endpoints, config } = this.#deps;
    const { endpointsPerTenant: max } = config;
    const taken = new Set((await this.list(tenant)).map(({ slot }) => slot));
    for (let slot = 1; slot <= max; slot++) {
      if (taken.has(slot)) continue;
      const { written, record } = await endpoints.insert(tenant, { ...draft, slot });
      if (written) return record;
    }
    throw refusal("limit_reached", `there are ${max} endpoints already`);
  }

  #checkUrl(url: string): void {
    const problem = this.#deps.http.problemOf(url);
    if (problem !== undefined) throw badRequest(`url: ${problem}`);
  }
}

function checkSameOrigin(former: string, next: string): void {
  if (new URL(former).origin === new URL(next).origin) return;
  throw badRequest("headers: give them again, as the endpoint moves to another server");
}
