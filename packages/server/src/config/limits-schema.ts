import { z } from "zod";

const most = (doc: string, unit: string) => z.number().int().min(1).max(1e9).meta({ doc, unit });
const upTo = (doc: string, unit: string) =>
  z
    .number()
    .int()
    .min(0)
    .max(1e9)
    .meta({ doc: `${doc}; 0: no limit`, unit });

const MIB = 1024 * 1024;

/** What one client, user, address or tenant may ask of a node. */
export const limitsSchema = z.strictObject({
  subscriptionsPerConnection: most("Subscriptions of one connection", "subscriptions").default(256),
  badFramesMax: most(
    "Unreadable frames in a row before the connection is closed",
    "frames",
  ).default(10),
  pingsPerMinute: most(
    "WebSocket pings that a client may send without a message",
    "pings a minute",
  ).default(600),
  connectionsPerNode: most("Open WebSockets of this node", "connections").default(50_000),
  connectionsPerTenant: upTo("Connected sessions of one tenant", "connections").default(50_000),
  connectionsPerUser: upTo("Connected sessions of one user", "connections").default(10),
  messagesPerUserPerMinute: upTo(
    "What a user may send to others, over all connections: publishes, direct messages, presence, actions of features",
    "messages a minute",
  ).default(120),
  commandsPerSecond: upTo("Frames of one connection", "commands a second").default(100),
  commandsBurst: most(
    "How many of them may come at once: a client that reconnects subscribes to all its channels",
    "commands",
  ).default(1_000),
  bytesPerSecond: upTo(
    "Bytes of the frames of one connection, and of what it asks to be told",
    "bytes a second",
  ).default(MIB),
  bytesBurst: most("How many of them may come at once", "bytes").default(4 * MIB),
  refusalsPerMinute: upTo(
    "Refusals for a rate before the connection is closed",
    "refusals a minute",
  ).default(600),
  bucketsMax: most(
    "Users and channels whose rate is remembered, each; the oldest go first",
    "users, channels",
  ).default(100_000),
  connectionAttemptsPerMinute: upTo(
    "WebSockets that one address may try to open (an IPv6 /64 counts as one); behind a proxy set listen.trustedProxies",
    "attempts a minute",
  ).default(200),
  keyGuessesPerMinute: upTo(
    "Wrong API keys from one address before its keys are not judged any more",
    "keys a minute",
  ).default(20),
  addressesMax: most(
    "Addresses whose attempts and guesses are remembered; the oldest go first",
    "addresses",
  ).default(100_000),
});
