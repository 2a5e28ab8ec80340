/** Commands that the core decodes itself: a plugin's would never be called. */
export const CORE_ACTIONS: ReadonlySet<string> = new Set([
  ...["connect", "refresh", "subscribe", "unsubscribe", "publish", "history", "presence"],
  ...["send", "ping", "extension"],
]);

/** What the gateway itself says to clients. Attack: a plugin that is fed by users, and so speaks in its place. */
const CORE_PUSHES: ReadonlySet<string> = new Set([
  ...CORE_ACTIONS,
  ...["welcome", "message", "position", "status", "reconnect", "pong", "error", "reply", "batch"],
]);

const PUSH_NAME = /^[a-z][a-z0-9_.:-]{0,63}$/i;

/** Throws a `TypeError` for what is no name of a plugin's own. */
export function checkPushName(action: string): void {
  if (typeof action !== "string" || !PUSH_NAME.test(action) || CORE_PUSHES.has(action)) {
    throw new TypeError("a push has a name of the plugin's own");
  }
}
