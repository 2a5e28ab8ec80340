import type { PresenceJob, PresenceResult } from "../scenarios/presence.ts";
import { mintTokens } from "../token.ts";
import type { Connection } from "./connection.ts";
import { DIALECTS } from "./dialects.ts";
import { keepAwake } from "./keep-awake.ts";
import { type LoadMark, leastDisturbed, loadBetween, markLoad } from "./load.ts";
import { closeAll, openMany } from "./open-many.ts";

/** Members stay and count what they are told; churners join and leave, one command in flight each. */
const OPEN_WINDOW = 64;
/** In which everybody must have been told of the last change. */
const SETTLE_MS = 20_000;
const POLL_MS = 50;
const decoder = new TextDecoder();

export async function runPresence(job: PresenceJob): Promise<PresenceResult[]> {
  const members = await openUsers(job, { count: job.members, prefix: "member", joined: true });
  const churners = await openUsers(job, { count: job.churners, prefix: "churner", joined: false });
  const result = await leastDisturbed({
    max: job.attemptsMax,
    serverPid: job.serverPid,
    run: () => measure(job, members, churners),
    disturbanceOf: ({ othersCpuShare }) => othersCpuShare,
    isFaulty: ({ countAtEnd, misinformed }) => countAtEnd !== job.members || misinformed > 0,
  });
  closeAll([...members, ...churners]);
  return [result];
}

type Users = { count: number; prefix: string; joined: boolean };

function openUsers(job: PresenceJob, { count, prefix, joined }: Users): Promise<Connection[]> {
  const tokens = mintTokens(count, prefix);
  return openMany({
    count,
    window: OPEN_WINDOW,
    options: (index) => ({
      port: job.port,
      dialect: DIALECTS[job.system],
      token: tokens[index] ?? "",
      channel: joined ? job.channel : undefined,
    }),
  });
}

type Mark = { load: LoadMark; changes: number; pushes: number };

async function measure(
  job: PresenceJob,
  members: Connection[],
  churners: Connection[],
): Promise<PresenceResult> {
  const run = new ChurnRun(job);
  const watchers = members.map((member) => new Watcher(run, member));
  const awake = keepAwake();
  const changing = churners.map((churner) => churn(run, churner));
  await Bun.sleep(job.warmUpMs);
  const before = run.mark();
  await Bun.sleep(job.measureMs);
  const after = run.mark();
  run.isOver = true;
  await Promise.race([Promise.all(changing), run.failed.promise]);
  awake.stop();
  const countAtEnd = await settledCount(job, members[0], watchers);
  const changes = after.changes - before.changes;
  const seconds = (after.load.atMs - before.load.atMs) / 1000;
  return {
    scenario: "presence",
    members: members.length,
    changes: run.changes,
    countAtEnd,
    misinformed: watchers.filter(({ count }) => count !== members.length).length,
    changesPerSecond: changes / seconds,
    serverCpuUsPerChange: (after.load.serverNs - before.load.serverNs) / 1000 / changes,
    pushesPerMemberPerSecond: (after.pushes - before.pushes) / members.length / seconds,
    ...loadBetween(before.load, after.load),
  };
}

class ChurnRun {
  readonly job: PresenceJob;
  readonly failed = Promise.withResolvers<never>();
  changes = 0;
  pushes = 0;
  isOver = false;

  constructor(job: PresenceJob) {
    this.job = job;
    this.failed.promise.catch(() => {}); // looked at when the time is over
  }

  mark(): Mark {
    const { changes, pushes } = this;
    return { load: markLoad(this.job.serverPid), changes, pushes };
  }
}

/** A member: how many pushes came is counted by their headers, what the last one said is kept as bytes. */
class Watcher {
  /** What the latest answer to `presence` said; a push without one in the right state counts as wrong. */
  #last: Uint8Array | undefined;

  constructor(run: ChurnRun, member: Connection) {
    member.receive(
      {
        onText: (payload) => {
          run.pushes++;
          this.#last = payload.slice();
        },
        onClosed: (cause) => run.failed.reject(new Error(`a member was closed: ${cause}`)),
      },
      { wholeFrames: true },
    );
  }

  /** What the last push said. */
  get count(): number {
    const text = this.#last === undefined ? "{}" : decoder.decode(this.#last);
    return (JSON.parse(text) as { data?: { count?: number } }).data?.count ?? Number.NaN;
  }
}

/** Resolves when the time is over and it has left. */
function churn(run: ChurnRun, churner: Connection): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const { channel } = run.job;
  let id = 0;
  let isIn = false;
  function change(): void {
    isIn = !isIn;
    const action = isIn ? "subscribe" : "unsubscribe";
    churner.send(`{"action":"${action}","id":${++id},"data":{"channel":"${channel}"}}`);
  }
  churner.receive(
    {
      onText(payload) {
        const text = decoder.decode(payload);
        if (text.startsWith('{"action":"presence"')) return;
        if (text.startsWith('{"action":"error"')) run.failed.reject(new Error(text));
        run.changes++;
        if (run.isOver && !isIn) resolve();
        else change();
      },
      onClosed: (cause) => run.failed.reject(new Error(`a churner was closed: ${cause}`)),
    },
    { wholeFrames: true },
  );
  change();
  return promise;
}

/** What `presence` answers once all members have been told the same, or after long enough. */
async function settledCount(
  job: PresenceJob,
  member: Connection | undefined,
  watchers: Watcher[],
): Promise<number> {
  const deadlineMs = performance.now() + SETTLE_MS;
  while (performance.now() < deadlineMs && watchers.some(({ count }) => count !== job.members)) {
    await Bun.sleep(POLL_MS);
  }
  const asked = Promise.withResolvers<number>();
  member?.receive(
    {
      onText(payload) {
        const frame = JSON.parse(decoder.decode(payload)) as {
          id?: string;
          data: { count: number };
        };
        if (frame.id === "count") asked.resolve(frame.data.count);
      },
      onClosed: (cause) => asked.reject(new Error(cause)),
    },
    { wholeFrames: true },
  );
  member?.send(`{"action":"presence","id":"count","data":{"channel":"${job.channel}","limit":0}}`);
  return await asked.promise;
}
