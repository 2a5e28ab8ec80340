import type { ConfigInput } from "@aldis/server";

/** All load comes from one address, and more of it than any user would be let make. */
export const NO_RATE_LIMITS: NonNullable<ConfigInput["limits"]> = {
  connectionAttemptsPerMinute: 0,
  connectionsPerUser: 0,
  keyGuessesPerMinute: 0,
  messagesPerUserPerMinute: 0,
  commandsPerSecond: 0,
  bytesPerSecond: 0,
};
