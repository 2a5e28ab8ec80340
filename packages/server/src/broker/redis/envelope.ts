import { type ChannelKey, nameOf } from "../../tenant/tenant.ts";
import type { Draft, Publication } from "../broker.ts";

// What lies in a stream: `key as JSON \n excluded connection \n JSON of the publication`; key and connection may be empty. What is
// sent in a topic: `p<epoch> <offset> <the same>` for a publication, `s<feature> <body>` for a signal. None of epoch, JSON and
// connection holds a line break. Other first letters are of a later version.

/** What stands before the JSON in a stream. */
export function envelopeHead({ key, exclude }: Pick<Draft, "key" | "exclude">): string {
  return `${key === undefined ? "" : JSON.stringify(key)}\n${exclude ?? ""}\n`;
}

/** A publication out of its stream, or out of a message in which it starts at `from`. */
export function readStored(
  channelKey: ChannelKey,
  offset: number,
  stored: string,
  from = 0,
): Publication {
  const keyEnd = stored.indexOf("\n", from);
  const excludeEnd = stored.indexOf("\n", keyEnd + 1);
  return {
    channel: nameOf(channelKey),
    offset,
    key: keyEnd === from ? undefined : JSON.parse(stored.slice(from, keyEnd)),
    json: stored.slice(excludeEnd + 1),
    exclude: excludeEnd === keyEnd + 1 ? undefined : stored.slice(keyEnd + 1, excludeEnd),
  };
}

export type PublicationMessage = { readonly epoch: string; readonly publication: Publication };

/** A publication as it comes in a topic: a message that starts with `p`. */
export function readPublication(channelKey: ChannelKey, message: string): PublicationMessage {
  const epochEnd = message.indexOf(" ");
  const offsetEnd = message.indexOf(" ", epochEnd + 1);
  const offset = Number(message.slice(epochEnd + 1, offsetEnd));
  return {
    epoch: message.slice(1, epochEnd),
    publication: readStored(channelKey, offset, message, offsetEnd + 1),
  };
}

export function signalMessage(feature: string, body: string): string {
  return `s${feature} ${body}`;
}

export function readSignal(message: string): { readonly feature: string; readonly body: string } {
  const end = message.indexOf(" ");
  return { feature: message.slice(1, end), body: message.slice(end + 1) };
}
