/** The bytes of one push, encoded once and shared by everyone who is sent it. */
export type Frame = {
  readonly text: string;
  /** As UTF-8 on the wire, without the WebSocket header. */
  readonly bytes: number;
};

export function frameOf(text: string): Frame {
  return { text, bytes: Buffer.byteLength(text) };
}
