import { Histogram } from "../histogram.ts";
import type { ConnectJob, ConnectResult } from "../scenarios/connect.ts";
import { mintTokens } from "../token.ts";
import { upgradeRequest } from "./connection.ts";
import { DIALECTS } from "./dialects.ts";
import { loadBetween, markLoad, whenIdle } from "./load.ts";
import { runStorm, type StormPlan } from "./storm.ts";

/**
 * Opens connections, each with a token of its own, and times them until the server has let each in. A storm of the same
 * size goes before, unmeasured: compilers have then seen the code, as in a server that has run for a minute.
 */
export async function runConnect(job: ConnectJob): Promise<ConnectResult> {
  const { connections } = job;
  const closeFirst = await runStorm(stormOf(job, "warm-up", () => {}));
  closeFirst();
  await whenIdle(job.serverPid);
  const latency = new Histogram();
  const plan = stormOf(job, "user", (milliseconds) => latency.record(milliseconds));
  const before = markLoad(job.serverPid);
  const closeAll = await runStorm(plan);
  const after = markLoad(job.serverPid);
  closeAll();
  return {
    scenario: "connect",
    connections,
    connectionsPerSecond: (connections / (after.atMs - before.atMs)) * 1000,
    serverCpuUsPerConnection: (after.serverNs - before.serverNs) / 1000 / connections,
    ...loadBetween(before, after),
    latency: latency.dump(),
  };
}

/** All that can be made before the clock starts. */
function stormOf(job: ConnectJob, userPrefix: string, onOpened: StormPlan["onOpened"]): StormPlan {
  const { port, window } = job;
  const dialect = DIALECTS[job.system];
  const { frames, answer } = dialect.admission;
  const tokens = mintTokens(job.connections, userPrefix);
  return {
    port,
    requests: tokens.map((token) => Buffer.from(upgradeRequest({ port, dialect, token }))),
    framesToOpen: frames,
    answer: answer && ((index) => answer(tokens[index] ?? "")),
    window,
    onOpened,
  };
}
