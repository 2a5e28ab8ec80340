// `session.connected` and `session.disconnected`.
import type { Identity, PluginHooks, TenantId } from "../../plugins/index.ts";
import type { Recorder } from "../recorder.ts";
import type { HeldThings } from "./held-things.ts";
import type { Thing } from "./lives.ts";

export type SessionSourceDeps = {
  readonly things: HeldThings;
  readonly recorder: Pick<Recorder, "wants">;
  readonly graceMs: number;
};

export type SessionSource = Required<Pick<PluginHooks, "connected" | "disconnected">>;

export function createSessionSource({ things, recorder, graceMs }: SessionSourceDeps) {
  const isWanted = (tenant: TenantId) =>
    recorder.wants(tenant, "session.connected") || recorder.wants(tenant, "session.disconnected");

  return {
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

function sessionThing(tenant: TenantId, name: string): Thing {
  return { tenant, kind: "session", name };
}

function aboutSession(session: string, { userId, anonymous }: Identity) {
  return { session, user: userId, ...(anonymous && { anonymous }) };
}
