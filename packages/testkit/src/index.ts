export { type Bystander, type BystanderReport, startBystander } from "./bystander.ts";
export {
  type CheckedPublisher,
  type CheckedSubscriber,
  startPublisher,
  startSubscriber,
} from "./checked-client.ts";
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
export { type Balancer, startBalancer } from "./cluster/balancer.ts";
export { type ChaosOptions, runChaos } from "./cluster/chaos.ts";
export { type Cluster, type ClusterOptions, startCluster } from "./cluster/cluster.ts";
export {
  type ClusterFaultOptions,
  type ClusterFaultReport,
  type ClusterFaultRun,
  runClusterFault,
  usersIn,
} from "./cluster/cluster-fault-run.ts";
export type { ClusterNode } from "./cluster/cluster-node.ts";
export type { Crowd } from "./cluster/crowd.ts";
export { isReady } from "./cluster/turns.ts";
export { type Conformance, createConformance, type Exchange } from "./conformance.ts";
export { type DurableCrowd, startDurableCrowd } from "./durable/durable-crowd.ts";
export { eventually } from "./eventually.ts";
export { createFakeClock, type FakeClock } from "./fake-clock.ts";
export { type FaultReport, type FaultRun, type FaultRunOptions, runFault } from "./fault-run.ts";
export { freePort } from "./free-port.ts";
export {
  ALL_RIGHTS,
  API_KEY,
  accessTo,
  type GatewayAccess,
  SECRET,
} from "./gateway-access.ts";
export { type GatewayProcess, startGatewayProcess } from "./gateway-process.ts";
export type { Sample } from "./gateway-process-messages.ts";
export type { HttpAnswer, HttpClient, HttpInit } from "./http-client.ts";
export { createHttpClient } from "./http-client.ts";
export { type MongoPlace, openMongo, whyNoMongo, whyNoStandIn } from "./mongo/mongo-place.ts";
export { type MongoServer, startMongo } from "./mongo/mongo-server.ts";
export {
  POSTGRES_PASSWORD,
  type PostgresOptions,
  type PostgresServer,
  startPostgres,
} from "./postgres/postgres-server.ts";
export { postgresPrograms } from "./postgres/programs.ts";
export { MESSAGE_PACK, RawClient, type RawFrame } from "./raw-client.ts";
export { openRawSocket, type RawSocket } from "./raw-socket.ts";
export { type Certificates, makeCertificates } from "./redis/certificates.ts";
export { addFieldToHashes, deleteStreams } from "./redis/damage.ts";
export { moveSlots } from "./redis/move-slots.ts";
export { type RedisClusterSet, startRedisCluster } from "./redis/redis-cluster.ts";
export { type SentinelSet, startSentinelSet } from "./redis/redis-sentinel.ts";
export { hasRedis, type RedisServer, type RedisServerOptions, startRedis } from "./redis-server.ts";
export { createSeededRandom, type SeededRandom } from "./seeded-random.ts";
export { freezeBetweenCommits } from "./sqlite/freeze-between-commits.ts";
export { connectTcp, type TcpClient } from "./tcp-client.ts";
export { startTcpProxy, type TcpProxy, type Weather } from "./tcp-proxy.ts";
export { startTestGateway, type TestGateway, type TestGatewayOptions } from "./test-gateway.ts";
export * as ws from "./ws-frames.ts";
