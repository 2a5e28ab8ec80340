import { pushFrameOf } from "@aldis/protocol";
import type { Publication } from "../broker/broker.ts";

/** The bytes of one push, encoded once and shared by everyone who is sent it. */
export type Frame = {
  readonly text: string;
  /** As UTF-8 on the wire, without the WebSocket header. */
  readonly bytes: number;
  /** Of the publication that it is; 0: it is none. */
  readonly offset: number;
  /** What the publication is the latest value of. */
  readonly key: string | undefined;
};

export function frameOf(text: string): Frame {
  return { text, bytes: Buffer.byteLength(text), offset: 0, key: undefined };
}

/** A publication as the push that it is sent in. */
export function publicationFrame({ json, offset, key }: Publication): Frame {
  const text = pushFrameOf("message", json);
  return { text, bytes: Buffer.byteLength(text), offset, key };
}
