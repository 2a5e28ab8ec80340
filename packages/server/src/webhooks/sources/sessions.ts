// `session.connected` and `session.disconnected`.
import type { Identity, PluginHooks, TenantId } from "../../plugins/index.ts";
import type { Recorder } from "../recorder.ts";
import type { HeldThings } from "./held-things.ts";
import type { Thing } from "./lives.ts";

export type SessionSourceDeps = {
  readonly things: HeldThings;
  readonly recorder: Pick<Recorder, "wants">;
  readonly graceMs: number;
  /** How long a `welcome` waits for its session to be written. */
  readonly waitMs: number;
};

export function createSessionSource({ things, recorder, graceMs, waitMs }: SessionSourceDeps) {
  const isWanted = (tenant: TenantId) =>
    recorder.wants(tenant, "session.connected") || recorder.wants(tenant, "session.disconnected");

  return {
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
    connected({ session: { id, identity } }) {
      const { tenant } = identity;
      if (!isWanted(tenant)) return;
      things.take(sessionThing(tenant, id), aboutSession(id, identity));
    },
    disconnected({ identity: { tenant }, sessionId, mayResume }) {
      if (!things.hasAny(tenant)) return;
      const thing = sessionThing(tenant, sessionId);
      if (mayResume) things.letGo(thing, graceMs);
      else things.end(thing);
    },
  } satisfies PluginHooks;
}

/** Longer than any `welcome` takes. */
const UNWELCOME_MS = 60_000;

function sessionThing(tenant: TenantId, name: string): Thing {
  return { tenant, kind: "session", name };
}

function aboutSession(session: string, { userId, anonymous }: Identity) {
  return { session, user: userId, ...(anonymous && { anonymous }) };
}
