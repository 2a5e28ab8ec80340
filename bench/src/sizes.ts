/** How big a run is. */
export type Sizes = {
  subscribers: number;
  levels: number[];
  clusterLevels: number[];
  historyLevels: number[];
  codecLevels: number[];
  payloadBytes: number;
  warmUpMs: number;
  measureMs: number;
  connections: number;
  connectWindow: number;
  idleConnections: number;
  idleChannels: number;
  settleMaxMs: number;
  httpConnections: number;
  /** Connections that publish, each in one of a fifth as many channels; publishes of each in flight. */
  publishers: number;
  publisherWindow: number;
  /** Channels of ten subscribers each; as many connections, with ten subscriptions each. */
  channels: number;
  channelsWindow: number;
  members: number;
  churners: number;
  /** Messages in one room, and who reads pages of it. */
  chatMessages: number;
  chatReaders: number;
  stuckHealthy: number;
  stuckClients: number;
  stuckPayloadBytes: number;
  stuckMeasureMs: number;
  stuckTurns: number;
};

export const FULL: Sizes = {
  subscribers: 1000,
  levels: [1, 8, 32],
  clusterLevels: [1, 8, 32],
  historyLevels: [8, 32],
  codecLevels: [8],
  payloadBytes: 100,
  warmUpMs: 1500,
  measureMs: 3000,
  connections: 5000,
  connectWindow: 64,
  idleConnections: 15_000,
  idleChannels: 100,
  settleMaxMs: 20_000,
  httpConnections: 64,
  publishers: 100,
  publisherWindow: 4,
  channels: 1000,
  channelsWindow: 64,
  members: 500,
  churners: 50,
  chatMessages: 1_000_000,
  chatReaders: 4,
  stuckHealthy: 900,
  stuckClients: 100,
  stuckPayloadBytes: 1000,
  stuckMeasureMs: 6000,
  stuckTurns: 2,
};

export const QUICK: Sizes = {
  ...FULL,
  warmUpMs: 700,
  measureMs: 1000,
  connections: 2000,
  idleConnections: 6000,
  settleMaxMs: 8000,
  stuckTurns: 1,
};
