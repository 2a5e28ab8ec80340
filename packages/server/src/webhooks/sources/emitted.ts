// What other features and plugins emit, under their own types.
import {
  type ChannelName,
  namespaceOf,
  type PluginEvent,
  type PluginHooks,
} from "../../plugins/index.ts";
import type { Recorder, WebhookEvent } from "../recorder.ts";

/** Whoever emits waits until it is recorded, and emits it again if it could not be. */
export function createEmittedSource({ recorder }: { readonly recorder: Recorder }) {
  return {
    event(event) {
      const { namespace } = emittedEvent(event);
      if (!recorder.wants(event.tenant, event.type, namespace)) return undefined;
      return recorder.record(event.tenant, emittedEvent(event));
    },
  } satisfies PluginHooks;
}

function emittedEvent({ type, id, atMs, data }: PluginEvent): WebhookEvent {
  const { channel } = data;
  const place =
    typeof channel === "string" ? { namespace: namespaceOf(channel as ChannelName) } : {};
  // One plugin's ids are not another's.
  return { type, id: `${type}:${id}`, atMs, ...place, data };
}
