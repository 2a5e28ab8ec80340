// `session.connected` and `session.disconnected`.
import type { Identity, PluginHooks, TenantId } from "../../plugins/index.ts";
import type { Recorder } from "../recorder.ts";
import type { Adopt } from "./adoption.ts";
import type { HeldThings } from "./held-things.ts";
import type { Thing } from "./lives.ts";
import type { Settling } from "./settling.ts";

export type SessionSourceDeps = {
  readonly things: HeldThings;
  readonly recorder: Pick<Recorder, "wants">;
  readonly settling: Pick<Settling, "leftMs">;
  readonly graceMs: number;
  /** How long those who were here before may be taken up without a word. */
  silentMs(tenant: TenantId): number;
  /** How long a `welcome` waits for its session to be written. */
  readonly waitMs: number;
};

export function createSessionSource(deps: SessionSourceDeps) {
  const { things, recorder, settling, graceMs, silentMs, waitMs } = deps;
  const isWanted = (tenant: TenantId) =>
    recorder.wants(tenant, "session.connected") || recorder.wants(tenant, "session.disconnected");

  const hooks = {
    // A node that is killed after the `welcome` leaves a record of the session. One that was resumed has its record.
    admitting({ identity, sessionId, resumed }) {
      const { tenant } = identity;
      if (resumed || waitMs === 0 || !isWanted(tenant)) return undefined;
      const thing = sessionThing(tenant, sessionId);
      things.take(thing, aboutSession(sessionId, identity));
      // Nobody is told when the connection goes before its `welcome`.
      things.letGo(thing, Math.max(graceMs, UNWELCOME_MS));
      return things.written(thing, waitMs);
    },
    connected({ session: { id, identity }, resumed }) {
      const { tenant } = identity;
      if (!isWanted(tenant)) return;
      // It was away when the endpoint came, or its former node has not taken it up.
      const isOld = resumed && settling.leftMs(tenant, graceMs) > 0;
      things.take(sessionThing(tenant, id), aboutSession(id, identity), isOld ? RESUMED_MS : 0);
    },
    disconnected({ identity: { tenant }, sessionId, mayResume }) {
      if (!things.hasAny(tenant)) return;
      const thing = sessionThing(tenant, sessionId);
      if (mayResume) things.letGo(thing, graceMs);
      else things.end(thing);
    },
  } satisfies PluginHooks;

  /** Of a session that was here before. */
  const adopt: Adopt = ({ id, identity }) => {
    const { tenant } = identity;
    if (isWanted(tenant)) {
      things.take(sessionThing(tenant, id), aboutSession(id, identity), silentMs(tenant));
    }
    return 1;
  };
  return { hooks, adopt };
}

/** What was resumed in time is told to be over no sooner, see the default of `webhooks.sessionGraceMs`. */
const RESUMED_MS = 5_000;

/** Longer than any `welcome` takes. */
const UNWELCOME_MS = 60_000;

function sessionThing(tenant: TenantId, name: string): Thing {
  return { tenant, kind: "session", name };
}

function aboutSession(session: string, { userId, anonymous }: Identity) {
  return { session, user: userId, ...(anonymous && { anonymous }) };
}
