/** What one of each thing costs, as it was measured. Where each comes from is said in docs/operate/scale.md. */
export type Figures = {
  /** Resident memory of the gateways, kernel memory for the sockets, and memory of Redis. */
  nodeBytesPerConnection: number;
  kernelBytesPerConnection: number;
  redisBytesPerConnection: number;
  /** CPU time of a gateway for a connection that is let in, with its subscription and presence, and of Redis; a join or leave costs Redis no more. */
  connectNodeUs: number;
  connectRedisUs: number;
  /** CPU time of the gateways in a second for each connection that does nothing. */
  idleNodeUs: number;
  /** CPU time of a gateway for one message to one connection, which gets nothing else in that moment. */
  deliveryUs: number;
  /** CPU time for a publication: at the gateway that takes it over HTTP, and at each that has subscribers. */
  publishNodeUs: number;
  hearNodeUs: number;
  /** CPU time of Redis for a publication, with history: for itself, and for each gateway that hears it. */
  publishRedisUs: number;
  hearRedisUs: number;
  /** What Redis sends to one gateway for a publication, and a gateway to one client, headers included. */
  heardBytes: number;
  deliveryBytes: number;
  /** What a gateway reads of each other one at each heartbeat. */
  recordBytes: number;
};
