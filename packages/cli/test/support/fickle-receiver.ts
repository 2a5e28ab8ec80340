// An endpoint of webhooks that is no better than those of others: it refuses, hangs up, and answers when nobody waits any more.
import { createHmac } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";

export type Told = {
  readonly id: string;
  readonly seq: number;
  readonly type: string;
  readonly data: Readonly<Record<string, unknown>>;
};
/** A request, as it came: taken or not. */
export type Arrival = {
  readonly id: string;
  readonly body: string;
  readonly events: readonly Told[];
};
/** `drop`: hangs up when it has read all. A number: takes it, after so many milliseconds. */
export type Mood = "take" | "refuse" | "drop" | number;

export type FickleReceiver = AsyncDisposable & {
  readonly url: string;
  readonly arrivals: readonly Arrival[];
  /** Why requests were not believed. */
  readonly wrong: readonly string[];
  /** By which requests are verified. Nothing is before it is set. */
  secret: string | undefined;
  /** Asked before each answer. */
  mood: () => Mood;
};

export async function startFickleReceiver(): Promise<FickleReceiver> {
  const arrivals: Arrival[] = [];
  const wrong: string[] = [];
  const server = createServer((request, response) => void answer(request, response));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const receiver = {
    ...{ arrivals, wrong, secret: undefined, mood: () => "take" as const },
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  } as FickleReceiver;

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    // One whose sender is killed in the middle of it has not arrived.
    const body = await text(request).catch(() => undefined);
    if (body === undefined) return;
    const problem = receiver.secret && problemOf(request, body, receiver.secret);
    if (problem) wrong.push(problem);
    arrivals.push({ id: header(request, "webhook-id"), body, events: JSON.parse(body).events });
    const mood = receiver.mood();
    if (mood === "drop") request.socket.destroy();
    else if (typeof mood === "number") setTimeout(() => response.end("ok"), mood);
    else response.writeHead(mood === "take" ? 200 : 500).end();
  }

  return receiver;
}

/** As Standard Webhooks has it, written from there. */
function problemOf(request: IncomingMessage, body: string, secret: string): string | undefined {
  const [id, timestamp] = [header(request, "webhook-id"), header(request, "webhook-timestamp")];
  const key = Buffer.from(secret.replace("whsec_", ""), "base64");
  const signature = createHmac("sha256", key).update(`${id}.${timestamp}.${body}`).digest("base64");
  const given = header(request, "webhook-signature").split(" ");
  return given.includes(`v1,${signature}`) ? undefined : `${id}: ${given.join(" ")}`;
}

function header({ headers }: IncomingMessage, name: string): string {
  return String(headers[name] ?? "");
}

/** Fails are told; none: each event came in one batch alone, and batches first came in the order of their numbers. */
export function problemsIn(arrivals: readonly Arrival[]): string[] {
  const problems: string[] = [];
  const bodies = new Map<string, string>();
  let last = 0;
  for (const { id, body, events } of arrivals) {
    const known = bodies.get(id);
    if (known !== undefined) {
      if (known !== body) problems.push(`${id} came with another body`);
      continue;
    }
    bodies.set(id, body);
    for (const { seq } of events) {
      if (seq !== last + 1) problems.push(`${seq} came after ${last}, in ${id}`);
      last = seq;
    }
  }
  return problems;
}

/** Each once, in the order of their numbers. */
export function toldIn(arrivals: readonly Arrival[]): Told[] {
  const bySeq = new Map<number, Told>();
  for (const { events } of arrivals) for (const event of events) bySeq.set(event.seq, event);
  return [...bySeq.values()].sort((a, b) => a.seq - b.seq);
}
