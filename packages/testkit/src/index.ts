export { eventually } from "./eventually.ts";
export { createFakeClock, type FakeClock } from "./fake-clock.ts";
export { RawClient, type RawFrame } from "./raw-client.ts";
export { createSeededRandom, type SeededRandom } from "./seeded-random.ts";
export { connectTcp, type TcpClient } from "./tcp-client.ts";
export { startTcpProxy, type TcpProxy } from "./tcp-proxy.ts";
export { startTestGateway, type TestGateway } from "./test-gateway.ts";
export * as ws from "./ws-frames.ts";
