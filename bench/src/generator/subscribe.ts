import type { Connection } from "./connection.ts";
import type { Dialect } from "./dialects.ts";

const decoder = new TextDecoder();

/** Subscribes an open connection to channels and waits for the answers; nothing may be published there meanwhile. */
export function subscribeTo(
  connection: Connection,
  dialect: Dialect,
  channels: readonly string[],
): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  let missing = channels.length;
  connection.receive(
    {
      onText(payload) {
        const text = decoder.decode(payload);
        if (!dialect.isSubscribed(text)) reject(new Error(`subscribing was answered with ${text}`));
        else if (--missing === 0) resolve();
      },
      onClosed: (cause) => reject(new Error(`closed while subscribing: ${cause}`)),
    },
    { wholeFrames: true },
  );
  for (const channel of channels) connection.send(dialect.subscribe(channel));
  return promise;
}
