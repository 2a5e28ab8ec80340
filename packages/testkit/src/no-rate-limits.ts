import type { ConfigInput } from "@aldis/server";

/** For tests and loads that come from one address and one user; a test that is about one of them sets it. */
export const NO_RATE_LIMITS: NonNullable<ConfigInput["limits"]> = {
  connectionAttemptsPerMinute: 0,
  connectionsPerUser: 0,
  keyGuessesPerMinute: 0,
  messagesPerUserPerMinute: 0,
  commandsPerSecond: 0,
  bytesPerSecond: 0,
};
