import { eventually } from "./eventually.ts";
import type { GatewayAccess } from "./gateway-access.ts";
import { RawClient } from "./raw-client.ts";

/** What a client saw that has nothing to do with the fault. Times in milliseconds, from a publish to its reply. */
export type BystanderReport = {
  readonly answers: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
  /** Publishes that were refused for a while, and the longest that such a refusal took; when it is patient. */
  readonly refusals: number;
  readonly refusalMaxMs: number;
  /** How often it had to connect anew; when it is patient. */
  readonly breaks: number;
  /** It was not answered, or not told of its own message first: what happened instead. */
  readonly trouble: string | undefined;
};

export type Bystander = {
  readonly answers: number;
  /** What happened since the last look. */
  look(): BystanderReport;
  stop(): Promise<void>;
};

/** Between two publishes: often enough to meet a fault, seldom enough to be none. */
const PAUSE_MS = 10;
const CHANNEL = "bystander:own";

type BystanderOptions = {
  /** Temporary refusals and breaks are no trouble: the fault may reach it, too. */
  readonly patient?: boolean;
};

/** A healthy connection that publishes in a channel of its own, hears itself, and measures how long that takes. */
export async function startBystander(
  gateway: GatewayAccess,
  { patient = false }: BystanderOptions = {},
): Promise<Bystander> {
  // Nodes that were just started, on a machine that is busy, may ask to be tried again.
  let client = await eventually("the bystander is there", () =>
    connect(gateway).catch((error: unknown) => {
      if (isBreak(error)) return undefined;
      throw error;
    }),
  );
  let noted = emptyNotes();
  let trouble: string | undefined;
  let stopped = false;
  let answers = 0;
  let meant = 0;

  async function measure(): Promise<void> {
    const startedAtMs = performance.now();
    const reply = await client.ask("publish", { channel: CHANNEL, data: ++meant });
    if (reply.action === "error") {
      if (!patient || reply.data.temporary !== true) throw new Error(`refused: ${reply.data.code}`);
      noted.refusalsMs.push(performance.now() - startedAtMs);
      return;
    }
    await hear(client, { offset: reply.data.offset, data: meant, patient });
    noted.answersMs.push(performance.now() - startedAtMs);
    answers++;
    client.all.length = 0;
  }

  /** Only of a connection that broke. */
  async function again(error: unknown): Promise<void> {
    if (!patient || !isBreak(error)) throw error;
    noted.breaks++;
    client.cut();
    while (!stopped) {
      try {
        client = await connect(gateway);
        return;
      } catch (failed) {
        if (!isBreak(failed)) throw failed;
        await Bun.sleep(PAUSE_MS);
      }
    }
  }

  async function go(): Promise<void> {
    while (!stopped) {
      await measure().catch(again);
      await Bun.sleep(PAUSE_MS);
    }
  }

  const going = go().catch((error: unknown) => {
    if (!stopped) trouble = String(error);
  });
  return {
    get answers() {
      return answers;
    },
    look() {
      const report = { ...reportOf(noted), trouble };
      noted = emptyNotes();
      return report;
    },
    async stop() {
      stopped = true;
      await going;
      client.cut();
    },
  };
}

/** The connection broke, or the channel could not be had for now. */
function isBreak(error: unknown): boolean {
  const text = String(error);
  return text.includes("closed with") || text.includes('"temporary":true');
}

const emptyNotes = () => ({ answersMs: [] as number[], refusalsMs: [] as number[], breaks: 0 });

function reportOf({ answersMs, refusalsMs, breaks }: ReturnType<typeof emptyNotes>) {
  const sorted = answersMs.toSorted((a, b) => a - b);
  const at = (part: number) => sorted[Math.floor(part * (sorted.length - 1))] ?? 0;
  return {
    answers: sorted.length,
    ...{ p50Ms: at(0.5), p99Ms: at(0.99), maxMs: at(1) },
    refusals: refusalsMs.length,
    refusalMaxMs: Math.max(0, ...refusalsMs),
    breaks,
  };
}

async function connect(gateway: GatewayAccess): Promise<RawClient> {
  const exp = Math.floor(Date.now() / 1000) + 24 * 3600;
  const token = await gateway.token({ sub: "bystander", exp });
  const client = await RawClient.connect(`${gateway.wsUrl}?token=${token}`);
  try {
    await client.must("subscribe", { channel: CHANNEL });
    return client;
  } catch (error) {
    // Else it would stay connected beside the next one.
    client.cut();
    throw error;
  }
}

type Heard = { readonly offset: number; readonly data: number; readonly patient: boolean };

/** Waits for what was acknowledged. Before it there may be what was refused, and yet came to pass; one who is patient may be told that it is lost. */
async function hear(client: RawClient, { offset, data, patient }: Heard): Promise<void> {
  const heard = await client.wait((frame) => {
    if (frame.action === "message") return frame.data.data === data;
    return patient && frame.action === "subscribe" && frame.data.recovered === false;
  }, `message ${offset}`);
  const at = heard.data.offset;
  if (heard.action === "message" && at !== offset) throw new Error(`heard ${at}, not ${offset}`);
  client.frames.length = 0;
}
