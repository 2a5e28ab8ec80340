/**
 * What a gateway counts, as plain numbers: `n++` costs nothing on the hot path, and whoever publishes
 * metrics copies them. Only ever go up; gauges are asked of the parts themselves.
 */
export type Counters = {
  connectionsOpened: number;
  connectionsClosed: number;
  framesReceived: number;
  commandsRefused: number;
  slowConsumers: number;
  publications: number;
  sessionsResumed: number;
  tokensRefused: Record<string, number>;
  faults: number;
};

export function createCounters(): Counters {
  return {
    connectionsOpened: 0,
    connectionsClosed: 0,
    framesReceived: 0,
    commandsRefused: 0,
    slowConsumers: 0,
    publications: 0,
    sessionsResumed: 0,
    tokensRefused: Object.create(null) as Record<string, number>,
    faults: 0,
  };
}
