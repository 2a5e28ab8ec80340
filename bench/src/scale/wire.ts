import type { HistogramDump } from "../histogram.ts";

/** What the processes of a scale run tell each other, over IPC. */

/** A gateway. Each listens on a loopback address of its own, so that ports last for its clients. */
export type NodeAddress = { host: string; port: number };

/** To a gateway: say how you are. Its answer is a {@link NodeState}. */
export type NodeState = {
  /** After a full collection. */
  heapBytes: number;
  rssBytes: number;
  connections: number;
};

/** Who is where: the same for everybody, so that each process can tell it for itself. */
export type Town = {
  nodes: NodeAddress[];
  /** Channels that each member is in one of; presence, joins and leaves are told. */
  rooms: number;
  /** Channels that a part of the members is in besides: presence without telling. */
  halls: number;
  /** Every so many members one is in a hall. */
  hallEvery: number;
};

/** A process with members `first` to `first + count - 1`. */
export type CrowdPlan = {
  town: Town;
  first: number;
  count: number;
  /** Connections on their way at once. */
  window: number;
};

export type CrowdOrder =
  /** Have the members below `until` (of this process) connected and subscribed. */
  | { order: "open"; until: number }
  /** Cut about one in `every` members at once, and have all of them back; `moveBy` nodes further on. */
  | { order: "storm"; every: number; moveBy: number }
  /** Say where everybody stands. */
  | { order: "tally" };

export type CrowdReport = {
  /** Of this order: members that are connected and subscribed now and were not before. */
  arrived: number;
  elapsedMs: number;
  /** Of those, from the first attempt (or the cut) until in all its channels. */
  delay: HistogramDump;
  delayMaxMs: number;
  /** Attempts that were answered by a refusal, and repeated. */
  refusals: number;
  /** Of those that came back. */
  resumed: number;
  recoveredChannels: number;
  lostChannels: number;
  tally: Tally;
};

/** Since the start, over all members of a process. */
export type Tally = {
  connected: number;
  /** Connections that ended without having been cut, by what was said. */
  closed: Record<string, number>;
  messages: number;
  /** Messages that were not the next one of their room: lost before, or out of order. */
  gaps: number;
  /** Messages that came again after a resume, which the protocol allows. */
  repeats: number;
  pushes: number;
  bytes: number;
  /** Fewest and most messages' offset at which members of a room stand: `[room, lowest, highest]`, of rooms with messages. */
  tops: [room: number, lowest: number, highest: number][];
};

export type ProbePlan = {
  town: Town;
  lanes: number;
  /** Of the members' rooms, those that the lanes use: the lane's number times this. */
  roomStep: number;
  /** Whether what happens on one node is told on another one; else both ends of a lane are at one node. */
  clustered: boolean;
};

export const PROBE_KINDS = ["join", "leave", "send", "publish"] as const;
export type ProbeKind = (typeof PROBE_KINDS)[number];

export type ProbeOrder =
  | { order: "settle in" }
  /** Until so many samples of each were taken. */
  | { order: "measure"; kinds: ProbeKind[]; samples: number }
  /** Until `stop`; answered at once. */
  | { order: "watch"; kinds: ProbeKind[] }
  | { order: "stop" };

export type ProbeReport = {
  delays: Partial<Record<ProbeKind, HistogramDump>>;
  /** Samples whose end never came, what is known of each. */
  lost: string[];
  /** Answers that were refusals, as they came. */
  refused: string[];
  /** Offsets that the rooms of the lanes have reached. */
  tops: [room: number, offset: number][];
};
