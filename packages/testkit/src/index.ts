export { createChecker } from "./checker.ts";
export type {
  Checker,
  Fault,
  FaultKind,
  JournalEntry,
  Payload,
  Position,
  PublisherLog,
  SubscriberLog,
  Verdict,
} from "./checker-types.ts";
export { eventually } from "./eventually.ts";
export { createFakeClock, type FakeClock } from "./fake-clock.ts";
export { RawClient, type RawFrame } from "./raw-client.ts";
export { openRawSocket, type RawSocket } from "./raw-socket.ts";
export { createSeededRandom, type SeededRandom } from "./seeded-random.ts";
export { connectTcp, type TcpClient } from "./tcp-client.ts";
export { startTcpProxy, type TcpProxy } from "./tcp-proxy.ts";
export { ALL_RIGHTS, type HttpAnswer, startTestGateway, type TestGateway } from "./test-gateway.ts";
export * as ws from "./ws-frames.ts";
