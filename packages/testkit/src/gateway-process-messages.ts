import type { ConfigInput, Gateway } from "@aldis/server";

/** What a gateway in its own process uses at a moment. */
export type Sample = {
  readonly rssBytes: number;
  readonly heapBytes: number;
  readonly descriptors: number;
  /** The greatest delay of its loop since the last sample. */
  readonly loopDelayMs: number;
  /** What waits in the outboxes of all connections. */
  readonly queuedBytes: number;
  /** Connected sessions. */
  readonly connections: number;
  readonly counters: Gateway["counters"];
};

/** Between a test and its gateway's process. Each question is answered once, by its id. */
export type ToGateway = {
  readonly id: number;
  readonly ask:
    | { readonly name: "start"; readonly config: ConfigInput }
    | { readonly name: "sample"; readonly collect: boolean }
    | { readonly name: "shift clock"; readonly byMs: number }
    | { readonly name: "block"; readonly ms: number }
    | { readonly name: "log" };
};

export type FromGateway = {
  readonly id: number;
  readonly port?: number;
  readonly sample?: Sample;
  readonly lines?: readonly string[];
};
