import { pushFrameOf } from "@aldis/protocol";
import type { Publication } from "../broker/broker.ts";

/** What is sent, encoded once and shared by everyone who is sent it. */
export type Frame = {
  readonly text: string;
  /** Of the text as UTF-8, without the WebSocket header; what waits is counted by it, whatever the codec. */
  readonly bytes: number;
  /** Of the publication that it is; 0: it is none. */
  readonly offset: number;
  /** What the publication is the latest value of. */
  readonly key: string | undefined;
  /** What a binary codec made of it, when the first connection of that codec was sent it. */
  binary: Uint8Array | undefined;
};

export function frameOf(text: string): Frame {
  return { text, bytes: Buffer.byteLength(text), offset: 0, key: undefined, binary: undefined };
}

/** A publication as the push that it is sent in. */
export function publicationFrame({ json, offset, key }: Publication): Frame {
  const text = pushFrameOf("message", json);
  return { text, bytes: Buffer.byteLength(text), offset, key, binary: undefined };
}
