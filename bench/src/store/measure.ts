import type { Records } from "@aldis/server/plugin";
import type { Message } from "./open-records.ts";

export type Figure = {
  readonly what: string;
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Of all threads of this process, for each. */
  readonly cpuUs: number;
};

type Tenant = Parameters<Records<Message>["get"]>[0];

const TENANT = "default" as Tenant;
const BODY = {
  text: "A message of an ordinary length, as people write them to each other all day.",
};
const READERS = 16;

/** Messages to ten rooms, each acknowledged before its writer goes on. */
export async function measureAppends(
  messages: Records<Message>,
  { inFlight, measureMs }: { readonly inFlight: number; readonly measureMs: number },
): Promise<Figure> {
  let sent = 0;
  return await measure(`append, ${inFlight} in flight`, { inFlight, measureMs }, () => {
    sent++;
    return messages.append(TENANT, messageTo(`room-${sent % 10}`, `${inFlight}/${sent}`));
  });
}

/** Fills one room, and reads it at random places. */
export async function measureReads(
  messages: Records<Message>,
  { records, measureMs }: { readonly records: number; readonly measureMs: number },
): Promise<Figure[]> {
  let filled = 0;
  const fill = async () => {
    while (filled < records) await messages.append(TENANT, messageTo("big", `fill/${filled++}`));
  };
  await Promise.all(Array.from({ length: 1_000 }, fill));
  const somewhere = () => 1 + Math.floor(Math.random() * records);
  const page = () =>
    messages.list(TENANT, {
      ...{ index: "key", same: { room: "big" }, below: somewhere(), limit: 50 },
      order: "descending",
    });
  const one = () => messages.get(TENANT, { room: "big", seq: somewhere() });
  const figures: Figure[] = [];
  for (const inFlight of [1, READERS]) {
    const how = { inFlight, measureMs };
    figures.push(await measure(`page of 50 out of ${records}, ${inFlight} in flight`, how, page));
    figures.push(await measure(`get, ${inFlight} in flight`, how, one));
  }
  return figures;
}

function messageTo(room: string, n: string): Message {
  const who = n.length % 7;
  return {
    ...{ room, seq: 0, id: `m-${n}`, userId: `user-${who}`, idempotencyKey: n },
    ...{ sentAtMs: 1_800_000_000_000, body: BODY, searched: BODY.text },
  };
}

async function measure(
  what: string,
  { inFlight, measureMs }: { readonly inFlight: number; readonly measureMs: number },
  run: () => Promise<unknown>,
): Promise<Figure> {
  const tookMs: number[] = [];
  const fromMs = performance.now();
  const before = process.cpuUsage();
  const repeat = async () => {
    while (performance.now() - fromMs < measureMs) {
      const sinceMs = performance.now();
      await run();
      tookMs.push(performance.now() - sinceMs);
    }
  };
  await Promise.all(Array.from({ length: inFlight }, repeat));
  const seconds = (performance.now() - fromMs) / 1_000;
  const { user, system } = process.cpuUsage(before);
  tookMs.sort((a, b) => a - b);
  const at = (share: number) => tookMs[Math.floor(share * (tookMs.length - 1))] ?? 0;
  return {
    what,
    ...{ perSecond: tookMs.length / seconds, p50Ms: at(0.5), p99Ms: at(0.99) },
    cpuUs: (user + system) / tookMs.length,
  };
}
