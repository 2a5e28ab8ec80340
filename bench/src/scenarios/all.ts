import type { ScenarioName } from "../options.ts";
import type { Scenario } from "../scenario.ts";
import { broker } from "./broker.ts";
import { type ChannelsJob, type ChannelsResult, channels } from "./channels.ts";
import { chat } from "./chat.ts";
import { type ChatHistoryJob, type ChatHistoryResult, chatHistory } from "./chat-history.ts";
import { type ClientsJob, type ClientsResult, clientPublish } from "./client-publish.ts";
import { cluster } from "./cluster.ts";
import { codec } from "./codec.ts";
import { type ConnectJob, type ConnectResult, connect } from "./connect.ts";
import { type FanOutJob, type FanOutResult, fanOut, history } from "./fan-out.ts";
import { type HttpJob, type HttpResult, httpPublish } from "./http-publish.ts";
import { type MemoryJob, type MemoryResult, memory } from "./memory.ts";
import { type NotifyJob, type NotifyResult, notify } from "./notify.ts";
import { type PresenceJob, type PresenceResult, presence } from "./presence.ts";
import { type StuckJob, type StuckResult, stuck } from "./stuck.ts";

/** All that is measured, in the order of the table. */
export const SCENARIOS: Readonly<Record<ScenarioName, Scenario>> = {
  fanout: fanOut,
  cluster,
  history,
  codec,
  channels,
  clients: clientPublish,
  http: httpPublish,
  broker,
  connect,
  memory,
  presence,
  stuck,
  chat,
  "chat-history": chatHistory,
  notify,
};

/** What the load generator is told, and what it answers: plain JSON both ways. */
export type Job =
  | FanOutJob
  | ChannelsJob
  | ClientsJob
  | HttpJob
  | ConnectJob
  | MemoryJob
  | NotifyJob
  | PresenceJob
  | StuckJob
  | ChatHistoryJob;

export type JobResult =
  | FanOutResult
  | ChannelsResult
  | ClientsResult
  | HttpResult
  | ConnectResult
  | MemoryResult
  | NotifyResult
  | PresenceResult
  | StuckResult
  | ChatHistoryResult;
