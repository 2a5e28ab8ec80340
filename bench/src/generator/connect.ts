import { Histogram } from "../histogram.ts";
import type { ConnectJob, ConnectResult } from "../job.ts";
import { mintTokens } from "../token.ts";
import { DIALECTS } from "./dialects.ts";
import { loadBetween, markLoad } from "./load.ts";
import { closeAll, openMany } from "./open-many.ts";

/** Opens connections, each with a token of its own, and times them until the server has let each in. */
export async function runConnect(job: ConnectJob): Promise<ConnectResult> {
  const dialect = DIALECTS[job.system];
  const latency = new Histogram();
  const tokens = mintTokens(job.connections);
  const before = markLoad(job.serverPid);
  const connections = await openMany({
    count: job.connections,
    window: job.window,
    options: (index) => ({ port: job.port, dialect, token: tokens[index] ?? "" }),
    onOpened: (milliseconds) => latency.record(milliseconds),
  });
  const after = markLoad(job.serverPid);
  closeAll(connections);
  return {
    scenario: "connect",
    connections: connections.length,
    connectionsPerSecond: (connections.length / (after.atMs - before.atMs)) * 1000,
    serverCpuUsPerConnection: (after.serverNs - before.serverNs) / 1000 / connections.length,
    ...loadBetween(before, after),
    latency: latency.dump(),
  };
}
