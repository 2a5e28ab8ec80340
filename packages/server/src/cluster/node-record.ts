import { field } from "@aldis/protocol";
import { readPeerFields } from "../peer-json.ts";
import { type ClusterNode, NODE_ROLES, type NodeId, type NodeLoad } from "./node-registry.ts";

/** What stands in Redis about a node. */
export type NodeRecord = Omit<ClusterNode, "id" | "seenMsAgo">;

const RECORD_VERSION = 1;

/** `load` is asked at each heartbeat. */
export function writeRecord(record: NodeRecord): string {
  return JSON.stringify({ v: RECORD_VERSION, ...record });
}

/** As many names of queues as are read. */
const QUEUES_MAX = 20;

const NO_LOAD: NodeLoad = { connections: 0, capacity: 0, admitPerSecond: 0, loopLagMs: 0 };

/**
 * Of any version: fields that are not known are passed over, and what is missing or unreadable is as if nothing was told. A node lives by its
 * heartbeat, whatever it writes about itself.
 */
export function readRecord(id: NodeId, text: string | undefined): NodeRecord {
  const fields = (text === undefined ? undefined : readPeerFields(text)) ?? {};
  const number = (name: keyof NodeLoad | "startedAtMs") => {
    const value = field(fields, name);
    return typeof value === "number" && Number.isFinite(value) ? value : 0;
  };
  const words = (name: string, otherwise: string) => {
    const value = field(fields, name);
    return typeof value === "string" && value.length <= 128 ? value : otherwise;
  };
  return {
    ...NO_LOAD,
    name: words("name", id),
    version: words("version", "unknown"),
    // Those before there were roles did everything.
    role: NODE_ROLES.find((role) => role === field(fields, "role")) ?? "all",
    queues: queuesIn(field(fields, "queues")),
    startedAtMs: number("startedAtMs"),
    draining: field(fields, "draining") === true,
    connections: number("connections"),
    capacity: number("capacity"),
    admitPerSecond: number("admitPerSecond"),
    loopLagMs: number("loopLagMs"),
  };
}

function queuesIn(value: unknown): string[] {
  if (!Array.isArray(value)) return [];
  const names = value.slice(0, QUEUES_MAX);
  return names.filter((name) => typeof name === "string" && name.length <= 64);
}
