import type { TokenVerifier } from "../auth/token-verifier.ts";
import type { Broker } from "../broker/broker.ts";
import type { Namespaces } from "../channel/namespaces.ts";
import type { Publisher } from "../channel/publisher.ts";
import type { Hub } from "../hub/hub.ts";
import type { ChannelQuota } from "../limits/channel-quota.ts";
import type { ConnectionCounts } from "../limits/connection-counts.ts";
import type { LateRefusals } from "../limits/late-refusals.ts";
import type { SessionRates } from "../limits/session-rates.ts";
import type { TenantAccounts } from "../limits/tenant-accounts.ts";
import type { Counters } from "../observe/counters.ts";
import type { Log } from "../observe/log.ts";
import type { RefusalLog } from "../observe/refusal-log.ts";
import type { Presence } from "../presence/presence.ts";
import type { RandomIds } from "../random/random.ts";
import type { Tenants } from "../tenant/tenants.ts";
import type { Clock } from "../time/clock.ts";
import type { ActionHandler, WelcomeHook } from "./actions.ts";
import type { Ceilings } from "./ceilings.ts";
import type { SessionHooks } from "./hooks.ts";
import type { InFlight } from "./in-flight.ts";
import type { LiveSessions } from "./live-sessions.ts";
import type { Reach } from "./reach.ts";
import type { SessionSecrets } from "./session-secrets.ts";
import type { SessionStore } from "./session-store.ts";

export type SessionOptions = {
  readonly refreshBeforeMs: number;
  readonly clockSkewMs: number;
  readonly subscriptionsMax: number;
  readonly presenceDataMaxBytes: number;
  readonly directAllow: "capability" | "user";
  /** What `welcome` tells. */
  readonly pingIntervalMs: number;
  readonly idleTimeoutMs: number;
  readonly frameMaxBytes: number;
};

/** What all sessions of a gateway share. */
export type SessionDeps = {
  readonly clock: Clock;
  readonly random: RandomIds;
  readonly log: Log;
  readonly counters: Counters;
  readonly verifier: TokenVerifier;
  readonly refusals: RefusalLog;
  readonly namespaces: Namespaces;
  readonly tenants: Tenants;
  readonly publisher: Publisher;
  readonly broker: Broker;
  readonly hub: Hub;
  readonly presence: Presence;
  readonly live: LiveSessions;
  readonly reach: Reach;
  readonly rates: SessionRates;
  /** What each tenant does here, and its quotas. */
  readonly accounts: TenantAccounts;
  readonly late: LateRefusals;
  /** How many channels tenants have. */
  readonly channels: ChannelQuota;
  readonly ceilings: Ceilings;
  /** The same ceilings over all nodes. */
  readonly counts: ConnectionCounts;
  readonly parked: SessionStore;
  readonly secrets: SessionSecrets;
  readonly inFlight: InFlight;
  /** Actions of features, by name. */
  readonly actions: ReadonlyMap<string, ActionHandler>;
  readonly hooks: SessionHooks;
  /** Called when a session has been sent its `welcome`. */
  readonly onWelcome: readonly WelcomeHook[];
  readonly options: SessionOptions;
};
