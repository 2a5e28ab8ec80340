import { type ChannelName, pushFrame, pushFrameOf, type SubscribeBody } from "@aldis/protocol";
import { frameOf } from "../hub/frame.ts";
import type { Joined } from "./join.ts";
import type { Session } from "./session.ts";

/**
 * Where the client stands, then what it missed, as messages (SE3): a client needs no more for them than for live ones.
 * Returns the bytes. They may wait whatever the outbox allows: the history holds them in memory anyway.
 */
export function tellJoined(session: Session, channel: ChannelName, joined: Joined): number {
  const { recovered, publications, position } = joined;
  const offset = position.offset - publications.length;
  const stands: SubscribeBody = { channel, recovered, offset, epoch: position.epoch };
  if (session.granted?.has(channel) === true) stands.granted = true;
  const frames = [pushFrame("subscribe", stands)];
  for (const { json } of publications) frames.push(pushFrameOf("message", json));
  const encoded = frames.map(frameOf);
  const bytes = encoded.reduce((sum, frame) => sum + frame.bytes, 0);
  session.connection.grant(bytes);
  for (const frame of encoded) session.connection.deliver(frame);
  return bytes;
}
