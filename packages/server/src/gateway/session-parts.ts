import { createTokenVerifier } from "../auth/create-token-verifier.ts";
import type { KeySetOutcome } from "../auth/key-set.ts";
import { timed } from "../auth/timed-verifier.ts";
import { countOne } from "../observe/counters.ts";
import { createRefusalLog } from "../observe/refusal-log.ts";
import type { PluginHost } from "../plugins/host/plugin-host.ts";
import { createReach } from "../reach/reach.ts";
import { InFlight } from "../session/in-flight.ts";
import { LiveSessions } from "../session/live-sessions.ts";
import type { SessionDeps } from "../session/session-deps.ts";
import { createSessionSecrets } from "../session/session-secrets.ts";
import { shutTenant } from "../session/shut-tenants.ts";
import { Degradation } from "./degradation.ts";
import { openPlugins } from "./plugin-part.ts";
import { openPresence } from "./presence-part.ts";
import { openSessionStore } from "./session-store-part.ts";
import { openSharedLimits } from "./shared-limits-part.ts";
import type { Shared } from "./shared-parts.ts";

export type SessionParts = {
  readonly deps: SessionDeps;
  readonly plugins: PluginHost;
  close(): Promise<void>;
};

/** What every session is made from; closed with the gateway. */
export function sessionDeps(shared: Shared): SessionParts {
  const { config, clock, counters, limits, log, metrics } = shared;
  const refusals = createRefusalLog(log, clock);
  const onKeySetFetch = (outcome: KeySetOutcome) => {
    countOne(counters.keySetFetches, outcome);
    if (outcome !== "ok") log.warn({ outcome }, "the key set could not be fetched");
  };
  const judging = createTokenVerifier(config.auth, {
    ...{ clock, onKeySetFetch, own: shared.tenancy.kept?.ownSecrets },
  });
  const verifier = timed(judging, clock, metrics.observeAuth);
  const live = new LiveSessions();
  const parked = openSessionStore(shared, live);
  const ceilings = {
    perTenant: config.limits.connectionsPerTenant,
    perUser: config.limits.connectionsPerUser,
  };
  const counts = openSharedLimits(shared, live, ceilings);
  const reach = createReach({ ...shared, live, parked });
  const plugins = openPlugins(shared, { live, reach });
  const presence = openPresence(shared, plugins.hooks.presence);
  const degradation = openDegradation(shared, live);
  const deps: SessionDeps = {
    ...shared,
    verifier,
    refusals,
    presence,
    parked,
    live,
    counts,
    reach,
    inFlight: new InFlight(),
    rates: limits.session,
    ceilings,
    secrets: createSessionSecrets(shared.secret.keysFor("sessions")),
    actions: plugins.actions,
    hooks: plugins.hooks.session,
    onWelcome: [(session) => degradation.greet(session)],
    options: {
      refreshBeforeMs: config.auth.refreshBeforeMs,
      clockSkewMs: config.auth.clockSkewMs,
      subscriptionsMax: config.limits.subscriptionsPerConnection,
      presenceDataMaxBytes: config.presence.dataMaxBytes,
      directAllow: config.direct.allow,
      pingIntervalMs: config.heartbeat.pingIntervalMs,
      idleTimeoutMs: config.heartbeat.idleTimeoutMs,
      frameMaxBytes: config.listen.frameMaxBytes,
    },
  };
  shared.tenants.onChange((tenant) => shutTenant(deps, tenant));
  return {
    deps,
    plugins,
    async close() {
      await plugins.close();
      degradation.close();
      refusals.close();
      await presence.close();
      verifier.close();
      await counts.close();
      // Last: what is left of the sessions is told to the other nodes.
      await parked.close();
    },
  };
}

function openDegradation({ clock, brokerPart, log }: Shared, live: LiveSessions): Degradation {
  return new Degradation({
    clock,
    isWell: () => brokerPart.isWell,
    sessions: () => live.all(),
    onChange: (degraded) =>
      log.warn(
        { degraded },
        degraded ? "the broker is away: clients are told" : "the broker is back",
      ),
  });
}
