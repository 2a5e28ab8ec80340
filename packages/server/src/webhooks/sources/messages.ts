// `message.published`: recorded before whoever publishes is answered.
import { Base64 } from "@aldis/protocol";
import { namespaceOf, type PluginHooks, type Recording } from "../../plugins/index.ts";
import type { Recorder, WebhookEvent } from "../recorder.ts";

const TYPE = "message.published";

export type MessageSourceDeps = {
  readonly clock: { nowMs(): number };
  readonly recorder: Recorder;
  readonly mustBeKept: boolean;
};

export function createMessageSource({ clock, recorder, mustBeKept }: MessageSourceDeps) {
  return {
    recording: {
      concerns: (tenant, namespace) => recorder.wants(tenant, TYPE, namespace),
      run: (published) =>
        recorder.record(published.tenant, publishedEvent(published, clock.nowMs())),
      onFailure: mustBeKept ? "refuse" : "pass",
    },
  } satisfies PluginHooks;
}

/** One event for each place in a channel, however often it is published again under its key. */
function publishedEvent(published: Recording, atMs: number): WebhookEvent {
  const { channel, event, data, from, offset, epoch } = published;
  return {
    type: TYPE,
    id: `${TYPE}:${epoch}:${offset}:${channel}`,
    atMs,
    namespace: namespaceOf(channel),
    data: {
      ...{ channel, offset, epoch },
      ...(event !== undefined && { event }),
      ...(from !== undefined && { user: from.user }),
      ...(data instanceof Base64 ? { base64: data.text } : { data }),
    },
  };
}
