import { describe, expect, test } from "bun:test";
import { parseChannelName, type StreamPosition, type WirePublication } from "@aldis/protocol";
import { createFakeClock, createSeededRandom, type FakeClock } from "@aldis/testkit";
import type { Awaitable } from "../awaitable.ts";
import { BrokerUnavailable } from "../broker-unavailable.ts";
import { type ChannelKey, channelKey, parseTenantId, type TenantId } from "../tenant/tenant.ts";
import type {
  Broker,
  Deliver,
  Draft,
  HistoryOptions,
  HistoryPage,
  HistoryQuery,
  Interest,
  Publication,
  Recovery,
} from "./broker.ts";

/** What a broker under test is made of. A broker with a clock of its own has to be steered by this one. */
export type BrokerSetup = {
  readonly clock: FakeClock;
  readonly deliver: Deliver;
  readonly limits: BrokerLimits;
};

export type BrokerLimits = {
  readonly idempotencyMs: number;
  readonly idempotencyMax: number;
  readonly streamsMax: number;
  readonly streamIdleMs: number;
  readonly historyMaxBytes: number;
};

export const BROKER_LIMITS: BrokerLimits = {
  idempotencyMs: 300_000,
  idempotencyMax: 1_000,
  streamsMax: 1_000,
  streamIdleMs: 3_600_000,
  historyMaxBytes: 1_000_000,
};

/** History enough for everything that a test does not want to lose. */
export const KEEP: HistoryOptions = { size: 100, ttlMs: 600_000, maxBytes: 1_000_000 };

const HOUR_MS = 3_600_000;

export function tenant(name: string): TenantId {
  const parsed = parseTenantId(name);
  if (!parsed.ok) throw new Error(parsed.message);
  return parsed.value;
}

export function key(channel: string, of = "default"): ChannelKey {
  return channelKey(tenant(of), draft({ channel }).channel);
}

type DraftParts = Partial<Omit<Draft, "channel">> & {
  channel?: string;
  n?: number;
  dataJson?: string;
};

/** A publish; `n` or `dataJson` is its data. */
export function draft(parts: DraftParts) {
  const { channel = "chat:lobby", n = 0, dataJson = String(n), ...rest } = parts;
  const name = parseChannelName(channel);
  if (!name.ok) throw new Error(name.message);
  return {
    event: undefined,
    key: undefined,
    from: undefined,
    payloadJson: `"data":${dataJson}`,
    exclude: undefined,
    idempotencyKey: undefined,
    version: undefined,
    ...rest,
    channel: name.value,
  } satisfies Draft;
}

export function wire(publication: Publication): WirePublication {
  return JSON.parse(publication.json) as WirePublication;
}

export function offsetsOf(publications: readonly Publication[]): number[] {
  return publications.map(({ offset }) => offset);
}

/** A broker in a test, with what it delivered. */
type Bench = AsyncDisposable & {
  readonly broker: Broker;
  readonly clock: FakeClock;
  readonly delivered: { readonly key: ChannelKey; readonly publication: Publication }[];
  /** Publishes `count` times in `chat:lobby`; data is the number of the publish. */
  publish(count: number, history?: HistoryOptions): Promise<StreamPosition>;
  /** Both read `chat:lobby`; the options in force are {@link KEEP} unless told. */
  recover(since: StreamPosition, history?: HistoryOptions): Promise<Recovery>;
  page(query?: Partial<HistoryQuery>, history?: HistoryOptions): Promise<HistoryPage>;
};

/** `bounds`: what limits how much it remembers, its own tables or the server that it keeps everything in. */
export type BrokerTraits = { readonly bounds: "tables" | "server" };

/** Every Broker must pass this; call it once per implementation. */
export function brokerContract(
  name: string,
  open: (setup: BrokerSetup) => Awaitable<Broker>,
  { bounds }: BrokerTraits = { bounds: "tables" },
): void {
  /** For what is true of a broker with tables of its own. */
  const testTables: (what: string, run: () => Promise<void>) => void =
    bounds === "tables" ? test : () => {};
  const LOBBY = key("chat:lobby");

  async function bench(limits: Partial<BrokerLimits> = {}): Promise<Bench> {
    const clock = createFakeClock();
    const delivered: Bench["delivered"] = [];
    const broker = await open({
      clock,
      deliver: (to, publication) => delivered.push({ key: to, publication }),
      limits: { ...BROKER_LIMITS, ...limits },
    });
    let published = 0;
    return {
      broker,
      clock,
      delivered,
      async publish(count, history = KEEP) {
        for (let i = 1; i < count; i++)
          await broker.publish(LOBBY, draft({ n: ++published }), history);
        return await broker.publish(LOBBY, draft({ n: ++published }), history);
      },
      recover: async (since, history = KEEP) => await broker.recover(LOBBY, since, history),
      page: async (query, history = KEEP) =>
        await broker.history(LOBBY, { ...ALL, ...query }, history),
      [Symbol.asyncDispose]: async () => await broker.close(),
    };
  }

  describe(`Broker: ${name}`, () => {
    describe("[BR1] publish", () => {
      test("offsets are contiguous from 1 within one epoch", async () => {
        await using it = await bench();
        const answers: StreamPosition[] = [];
        for (let n = 0; n < 20; n++) answers.push(await it.publish(1));
        expect(answers.map(({ offset }) => offset)).toEqual(Array.from(answers, (_, i) => i + 1));
        expect(new Set(answers.map(({ epoch }) => epoch)).size).toBe(1);
      });

      test("publishes under way at once get different offsets without a hole", async () => {
        await using it = await bench();
        const answers = await Promise.all(
          Array.from({ length: 50 }, (_, n) => it.broker.publish(LOBBY, draft({ n }), KEEP)),
        );
        const offsets = answers.map(({ offset }) => offset).sort((a, b) => a - b);
        expect(offsets).toEqual(Array.from({ length: 50 }, (_, i) => i + 1));
        const { publications } = await it.recover({
          offset: 0,
          epoch: answers[0]?.epoch ?? "",
        });
        for (const [n, { offset }] of answers.entries()) {
          const kept = publications.find((publication) => publication.offset === offset);
          expect(kept && wire(kept).data).toBe(n);
        }
      });

      test("each channel and each tenant counts on its own", async () => {
        await using it = await bench();
        const keys = [key("chat:a"), key("chat:b"), key("chat:a", "acme")];
        for (const to of keys) await it.broker.publish(to, draft({}), KEEP);
        await it.broker.publish(key("chat:b"), draft({}), KEEP);
        const tops = await Promise.all(keys.map(async (of) => (await it.broker.top(of)).offset));
        expect(tops).toEqual([1, 2, 1]);
      });

      test("a publication says where it stands, when, and who sent what", async () => {
        await using it = await bench();
        await it.broker.publish(
          LOBBY,
          draft({
            event: 'a "quoted" event',
            from: { user: "ann", connection: "c1" },
            dataJson: '{"text":"grüß 😀"}',
            exclude: "c1",
          }),
          KEEP,
        );
        const [kept] = (await it.page({ limit: 1 })).publications;
        expect(kept).toMatchObject({ channel: "chat:lobby", offset: 1, exclude: "c1" });
        expect(kept && wire(kept)).toEqual({
          channel: "chat:lobby",
          offset: 1,
          at: it.clock.nowMs(),
          event: 'a "quoted" event',
          from: { user: "ann", connection: "c1" },
          data: { text: "grüß 😀" },
        });
      });
    });

    describe("[BR2] delivery and interest", () => {
      test("what is published is handed to `deliver` once each, in order, before the answer", async () => {
        await using it = await bench();
        await it.broker.subscribe({ key: LOBBY });
        for (let n = 1; n <= 10; n++) {
          await it.publish(1);
          expect(it.delivered.length).toBe(n);
        }
        expect(it.delivered.map(({ key: to }) => to)).toEqual(Array(10).fill(LOBBY));
        expect(offsetsOf(it.delivered.map(({ publication }) => publication))).toEqual(
          Array.from({ length: 10 }, (_, i) => i + 1),
        );
      });

      test("a publication delivered is the one that history holds", async () => {
        await using it = await bench();
        await it.broker.subscribe({ key: LOBBY });
        await it.publish(3);
        const { publications } = await it.page();
        expect(it.delivered.map(({ publication }) => publication.json)).toEqual(
          publications.map(({ json }) => json),
        );
      });

      test("interest in a prefix delivers what starts with it", async () => {
        await using it = await bench();
        await it.broker.subscribe({ prefix: "default/orders:" });
        await it.broker.publish(key("orders:1"), draft({ channel: "orders:1" }), KEEP);
        expect(it.delivered.map(({ key: to }) => to)).toContain(key("orders:1"));
      });

      test("interest is counted: one of two subscribers gone, the other is still served", async () => {
        await using it = await bench();
        await it.broker.subscribe({ key: LOBBY });
        await it.broker.subscribe({ key: LOBBY });
        it.broker.unsubscribe({ key: LOBBY });
        await it.publish(2);
        expect(offsetsOf(it.delivered.map(({ publication }) => publication))).toEqual([1, 2]);
      });

      test("ending interest that nobody has is no error", async () => {
        await using it = await bench();
        it.broker.unsubscribe({ key: key("never:seen") });
        it.broker.unsubscribe({ prefix: "default/never:" });
        expect((await it.publish(1)).offset).toBe(1);
      });
    });

    describe("[BR3] recovery", () => {
      test("gives exactly what came after each position", async () => {
        await using it = await bench();
        const { epoch } = await it.publish(12);
        for (let offset = 0; offset <= 12; offset++) {
          const recovery = await it.recover({ offset, epoch });
          expect(recovery).toMatchObject({ recovered: true, top: { offset: 12, epoch } });
          expect(recovery.publications.map((publication) => wire(publication).data)).toEqual(
            Array.from({ length: 12 - offset }, (_, i) => offset + i + 1),
          );
        }
      });

      test("what was trimmed by size is lost, and what is left is not given out as whole", async () => {
        await using it = await bench();
        const { epoch } = await it.publish(10, { ...KEEP, size: 4 });
        const lost = { recovered: false, publications: [], top: { offset: 10, epoch } };
        expect(await it.recover({ offset: 5, epoch })).toEqual(lost);
        const rest = await it.recover({ offset: 6, epoch });
        expect([rest.recovered, offsetsOf(rest.publications)]).toEqual([true, [7, 8, 9, 10]]);
      });

      test("what was trimmed by bytes is lost", async () => {
        await using it = await bench();
        const big = draft({ dataJson: `"${"x".repeat(1_000)}"` });
        const history = { ...KEEP, maxBytes: 5_000 };
        let last: StreamPosition = { offset: 0, epoch: "" };
        for (let i = 0; i < 20; i++) last = await it.broker.publish(LOBBY, big, history);
        const { publications } = await it.page();
        expect(publications.length).toBeGreaterThanOrEqual(1);
        const bytes = publications.reduce((sum, { json }) => sum + Buffer.byteLength(json), 0);
        expect(bytes).toBeLessThanOrEqual(5_000);
        const oldest = publications[0]?.offset ?? 0;
        const { epoch } = last;
        expect((await it.recover({ offset: oldest - 1, epoch })).recovered).toBe(true);
        expect((await it.recover({ offset: oldest - 2, epoch })).recovered).toBe(false);
      });

      test("one publication over the bytes kept keeps nothing, and counts on", async () => {
        await using it = await bench();
        const big = draft({ dataJson: `"${"x".repeat(1_000)}"` });
        const { epoch } = await it.broker.publish(LOBBY, big, { ...KEEP, maxBytes: 100 });
        expect((await it.page()).publications).toEqual([]);
        expect(await it.publish(1)).toMatchObject({ offset: 2, epoch });
        expect((await it.recover({ offset: 0, epoch })).recovered).toBe(false);
        expect((await it.recover({ offset: 1, epoch })).recovered).toBe(true);
      });

      test("what is too old is lost to the millisecond", async () => {
        await using it = await bench();
        const second = { ...KEEP, ttlMs: 1_000 };
        const { epoch } = await it.publish(2, second);
        it.clock.advance(400);
        await it.publish(1, second);
        it.clock.advance(599);
        expect((await it.recover({ offset: 0, epoch }, second)).recovered).toBe(true);
        it.clock.advance(1);
        expect((await it.recover({ offset: 0, epoch }, second)).recovered).toBe(false);
        expect(offsetsOf((await it.page({}, second)).publications)).toEqual([3]);
        const rest = await it.recover({ offset: 2, epoch }, second);
        expect([rest.recovered, offsetsOf(rest.publications)]).toEqual([true, [3]]);
      });

      test("faults 13: the wall clock set an hour back or forward expires and revives nothing", async () => {
        await using it = await bench();
        const second = { ...KEEP, ttlMs: 1_000 };
        const { epoch } = await it.publish(2, second);
        for (const hours of [1, -1]) {
          it.clock.setWallClock(it.clock.nowMs() + hours * HOUR_MS);
          const { recovered } = await it.recover({ offset: 0, epoch }, second);
          expect(recovered).toBe(true);
        }
        it.clock.advance(1_000);
        it.clock.setWallClock(it.clock.nowMs() - HOUR_MS);
        expect((await it.recover({ offset: 0, epoch }, second)).recovered).toBe(false);
      });

      test("an epoch that is not this one is lost, at every offset", async () => {
        await using it = await bench();
        await it.publish(3);
        for (const offset of [0, 1, 3, 4]) {
          const recovery = await it.recover({ offset, epoch: "another" });
          expect(recovery).toMatchObject({ recovered: false, publications: [] });
          expect(recovery.top.offset).toBe(3);
        }
      });

      test("an offset beyond the top is lost: the client has it from somewhere else", async () => {
        await using it = await bench();
        const { epoch } = await it.publish(3);
        const recovery = await it.recover({ offset: 4, epoch });
        expect(recovery).toEqual({ recovered: false, publications: [], top: { offset: 3, epoch } });
      });

      test("size 0 keeps the position alone", async () => {
        await using it = await bench();
        const { epoch } = await it.publish(3, { ...KEEP, size: 0 });
        expect(await it.broker.top(LOBBY)).toEqual({ offset: 3, epoch });
        const top = await it.recover({ offset: 3, epoch });
        expect(top).toMatchObject({ recovered: true, publications: [] });
        expect((await it.recover({ offset: 2, epoch })).recovered).toBe(false);
        expect((await it.page()).publications).toEqual([]);
      });

      test("a history turned off lets go of what it held", async () => {
        await using it = await bench();
        const { epoch } = await it.publish(3);
        await it.publish(1, { ...KEEP, size: 0 });
        await it.publish(1);
        expect((await it.recover({ offset: 3, epoch })).recovered).toBe(false);
        expect(offsetsOf((await it.page()).publications)).toEqual([5]);
      });
    });

    describe("[BR4] top", () => {
      test("of a channel that nothing was published in is 0, of an epoch that stays", async () => {
        await using it = await bench();
        const top = await it.broker.top(LOBBY);
        expect(top.offset).toBe(0);
        expect(top.epoch).not.toBe("");
        expect(await it.publish(1)).toEqual(
          expect.objectContaining({ offset: 1, epoch: top.epoch }),
        );
        const recovery = await it.recover(top);
        expect([recovery.recovered, offsetsOf(recovery.publications)]).toEqual([true, [1]]);
      });

      test("[SU2] who stood before the first publication recovers it, in a quiet channel and a full house", async () => {
        await using it = await bench({ streamsMax: 2 });
        const told = await it.broker.top(LOBBY);
        await it.broker.subscribe({ key: LOBBY });
        it.broker.unsubscribe({ key: LOBBY });
        for (let n = 0; n < 100; n++) await it.broker.top(key(`unknown:${n}`));
        expect(await it.recover(told)).toEqual({ recovered: true, publications: [], top: told });
        await it.publish(2);
        expect(offsetsOf((await it.recover(told)).publications)).toEqual([1, 2]);
      });

      test("two channels, and two tenants, have different epochs", async () => {
        await using it = await bench();
        const keys = [LOBBY, key("chat:b"), key("chat:lobby", "acme")];
        const told = await Promise.all(keys.map(async (of) => (await it.broker.top(of)).epoch));
        for (const of of keys) await it.broker.publish(of, draft({}), KEEP);
        expect(new Set(told).size).toBe(3);
        for (const [n, of] of keys.entries())
          expect((await it.broker.top(of)).epoch).toBe(told[n] ?? "");
      });

      test("of many at once is that of each, in their order", async () => {
        await using it = await bench();
        const keys = [LOBBY, key("chat:b"), key("chat:lobby", "acme"), LOBBY];
        await it.publish(3);
        await it.broker.publish(key("chat:b"), draft({}), KEEP);
        const each = await Promise.all(keys.map(async (of) => await it.broker.top(of)));
        expect(await it.broker.tops(keys)).toEqual(each);
        expect(each.map(({ offset }) => offset)).toEqual([3, 1, 0, 3]);
        expect(await it.broker.tops([])).toEqual([]);
      });
    });

    describe("[BR5] history", () => {
      test.each<[string, Partial<HistoryQuery>, number[], boolean]>([
        ["the latest", { limit: 3 }, [8, 9, 10], true],
        ["all of them, to the last", { limit: 7 }, [4, 5, 6, 7, 8, 9, 10], false],
        ["more than there are", { limit: 500 }, [4, 5, 6, 7, 8, 9, 10], false],
        ["the latest before", { limit: 2, before: 8 }, [6, 7], true],
        ["before, to the oldest kept", { limit: 4, before: 8 }, [4, 5, 6, 7], false],
        ["before the oldest kept", { limit: 2, before: 4 }, [], false],
        ["before what is gone", { limit: 2, before: 2 }, [], false],
        ["before anything", { limit: 2, before: 0 }, [], false],
        ["before beyond the top", { limit: 2, before: 99 }, [9, 10], true],
        ["the earliest after", { limit: 2, after: 5 }, [6, 7], true],
        ["after, to the top", { limit: 5, after: 5 }, [6, 7, 8, 9, 10], false],
        ["after what is gone", { limit: 2, after: 1 }, [4, 5], true],
        ["after the top", { limit: 2, after: 10 }, [], false],
        ["after beyond the top", { limit: 2, after: 99 }, [], false],
        ["between", { limit: 10, after: 5, before: 8 }, [6, 7], false],
        ["between, cut", { limit: 1, after: 5, before: 8 }, [6], true],
        ["between nothing", { limit: 10, after: 7, before: 8 }, [], false],
        ["crossed bounds", { limit: 10, after: 8, before: 5 }, [], false],
      ])("%s", async (_, query, offsets, more) => {
        await using it = await bench();
        const { epoch } = await it.publish(10, { ...KEEP, size: 7 });
        const page = await it.page(query);
        expect(offsetsOf(page.publications)).toEqual(offsets);
        expect([page.top, page.more]).toEqual([{ offset: 10, epoch }, more]);
      });

      test("of a channel that nothing was published in is empty", async () => {
        await using it = await bench();
        const page = await it.page();
        expect(page).toMatchObject({ publications: [], more: false, top: { offset: 0 } });
      });
    });

    describe("[BR6] idempotency (faults 21)", () => {
      test("the first one's answer, and nothing published", async () => {
        await using it = await bench();
        await it.broker.subscribe({ key: LOBBY });
        const first = await it.broker.publish(LOBBY, draft({ n: 1, idempotencyKey: "k" }), KEEP);
        await it.publish(2);
        const second = await it.broker.publish(LOBBY, draft({ n: 9, idempotencyKey: "k" }), KEEP);
        expect(second).toEqual({ ...first, duplicate: true });
        expect((await it.broker.top(LOBBY)).offset).toBe(3);
        expect(it.delivered.length).toBe(3);
      });

      test("two at once make one publication", async () => {
        await using it = await bench();
        const same = () => it.broker.publish(LOBBY, draft({ idempotencyKey: "k" }), KEEP);
        const answers = await Promise.all([same(), same(), same()]);
        expect(answers.map(({ offset }) => offset)).toEqual([1, 1, 1]);
        expect(answers.filter(({ duplicate }) => !duplicate).length).toBe(1);
      });

      test("keys of two channels and of two tenants do not meet", async () => {
        await using it = await bench();
        for (const to of [key("chat:a"), key("chat:b"), key("chat:a", "acme")]) {
          const answer = await it.broker.publish(to, draft({ idempotencyKey: "k" }), KEEP);
          expect(answer).toMatchObject({ offset: 1, duplicate: false });
        }
      });

      test("a channel name and a key cannot be cut in two ways", async () => {
        await using it = await bench();
        await it.broker.publish(key("chat:a"), draft({ idempotencyKey: "b c" }), KEEP);
        const other = await it.broker.publish(key("chat:a"), draft({ idempotencyKey: "b" }), KEEP);
        expect(other.duplicate).toBe(false);
      });

      test("[PB2] two keys that UTF-8 cannot tell apart are two", async () => {
        await using it = await bench();
        for (const idempotencyKey of ["k\ud800", "k\ud801", "k\ufffd"]) {
          const answer = await it.broker.publish(key("chat:a"), draft({ idempotencyKey }), KEEP);
          expect(answer.duplicate).toBe(false);
        }
      });

      test("P2: one tenant's keys push out none of another's, and nobody can count them by that", async () => {
        await using it = await bench({ idempotencyMax: 10 });
        const put = async (of: string, n: number) =>
          await it.broker.publish(key("chat:a", of), draft({ idempotencyKey: `${n}` }), KEEP);
        for (let n = 0; n < 10; n++) await put("spy", n);
        for (let n = 0; n < 50; n++) await put("acme", n);
        for (let n = 0; n < 10; n++) expect((await put("spy", n)).duplicate).toBe(true);
      });

      testTables(
        "[PB2] a key is remembered while fewer than idempotencyMax newer ones came in its tenant",
        async () => {
          await using it = await bench({ idempotencyMax: 5 });
          const put = async (channel: string, idempotencyKey: string) =>
            await it.broker.publish(key(channel), draft({ idempotencyKey }), KEEP);
          await put("chat:a", "first");
          for (let n = 1; n < 5; n++) await put(`chat:${n}`, "newer");
          expect((await put("chat:a", "first")).duplicate).toBe(true);
          await put("chat:5", "newer");
          expect((await put("chat:a", "first")).duplicate).toBe(false);
        },
      );

      test("a key is forgotten after its time, and not a millisecond before", async () => {
        await using it = await bench({ idempotencyMs: 1_000 });
        const same = draft({ idempotencyKey: "k" });
        await it.broker.publish(LOBBY, same, KEEP);
        it.clock.advance(999);
        expect((await it.broker.publish(LOBBY, same, KEEP)).duplicate).toBe(true);
        it.clock.advance(1);
        expect((await it.broker.publish(LOBBY, same, KEEP)).duplicate).toBe(false);
      });

      test("faults 13: the wall clock decides nothing about keys", async () => {
        await using it = await bench({ idempotencyMs: 1_000 });
        const same = draft({ idempotencyKey: "k" });
        await it.broker.publish(LOBBY, same, KEEP);
        for (const hours of [1, -1]) {
          it.clock.setWallClock(it.clock.nowMs() + hours * HOUR_MS);
          expect((await it.broker.publish(LOBBY, same, KEEP)).duplicate).toBe(true);
        }
      });
    });

    describe("[BR7] versions", () => {
      test("only a greater one is published; the others are answered with the top", async () => {
        await using it = await bench();
        const put = async (version: number) =>
          await it.broker.publish(LOBBY, draft({ version }), KEEP);
        const kinds: [number, string, number][] = [];
        for (const version of [0, 0, 5, 4, 5, 6, Number.MAX_SAFE_INTEGER, 7]) {
          const { kind, offset } = await put(version);
          kinds.push([version, kind, offset]);
        }
        expect(kinds).toEqual([
          [0, "published", 1],
          [0, "suppressed", 1],
          [5, "published", 2],
          [4, "suppressed", 2],
          [5, "suppressed", 2],
          [6, "published", 3],
          [Number.MAX_SAFE_INTEGER, "published", 4],
          [7, "suppressed", 4],
        ]);
      });

      test("a publish without a version leaves the latest as it was", async () => {
        await using it = await bench();
        await it.broker.publish(LOBBY, draft({ version: 3 }), KEEP);
        expect((await it.publish(1)).offset).toBe(2);
        const old = await it.broker.publish(LOBBY, draft({ version: 3 }), KEEP);
        expect(old).toMatchObject({ kind: "suppressed", offset: 2 });
      });

      test("versions hold for their channel alone", async () => {
        await using it = await bench();
        await it.broker.publish(LOBBY, draft({ version: 9 }), KEEP);
        const other = await it.broker.publish(key("chat:b"), draft({ version: 1 }), KEEP);
        expect(other.duplicate).toBe(false);
      });
    });

    describe("[BR8] forgetting", () => {
      testTables("a stream that was forgotten comes back under a new epoch, from 1", async () => {
        await using it = await bench({ streamsMax: 2 });
        const before = await it.publish(3);
        for (const n of [1, 2]) await it.broker.publish(key(`other:${n}`), draft({}), KEEP);
        const recovery = await it.recover(before);
        expect(recovery.recovered).toBe(false);
        expect(recovery.top).toMatchObject({ offset: 0 });
        expect(recovery.top.epoch).not.toBe(before.epoch);
        expect(await it.publish(1)).toMatchObject({ offset: 1, epoch: recovery.top.epoch });
      });

      test("never while it is subscribed to", async () => {
        await using it = await bench({ streamsMax: 2 });
        await it.broker.subscribe({ key: LOBBY });
        const before = await it.publish(3);
        for (let n = 0; n < 20; n++)
          await it.broker.publish(key(`other:${n}`), draft({ channel: `other:${n}` }), KEEP);
        expect((await it.recover(before)).recovered).toBe(true);
        expect(await it.publish(1)).toMatchObject({ offset: 4, epoch: before.epoch });
      });

      test("streamsMax does not count those that are subscribed to: the last subscriber may go and come back", async () => {
        await using it = await bench({ streamsMax: 2 });
        for (let n = 0; n < 10; n++) await it.broker.subscribe({ key: key(`busy:${n}`) });
        await it.broker.subscribe({ key: LOBBY });
        const before = await it.publish(3);
        it.broker.unsubscribe({ key: LOBBY });
        const recovery = await it.recover({ ...before, offset: 1 });
        expect([recovery.recovered, offsetsOf(recovery.publications)]).toEqual([true, [2, 3]]);
      });

      test("P2, P3: reading and visiting channels that nobody published in forgets nothing", async () => {
        await using it = await bench({ streamsMax: 2 });
        const before = await it.publish(3);
        for (let n = 0; n < 50; n++) {
          const unknown = key(`unknown:${n}`, n % 2 ? "default" : "spy");
          await it.broker.top(unknown);
          await it.broker.history(unknown, ALL, KEEP);
          await it.broker.recover(unknown, { offset: 1, epoch: "e" }, KEEP);
          await it.broker.subscribe({ key: unknown });
          it.broker.unsubscribe({ key: unknown });
        }
        const { recovered, top } = await it.recover(before);
        expect([recovered, top]).toEqual([true, { offset: 3, epoch: before.epoch }]);
      });

      test("P3: a tenant that publishes in many channels forgets its own", async () => {
        await using it = await bench({ streamsMax: 10 });
        const before = await it.publish(3);
        for (let n = 0; n < 100; n++)
          await it.broker.publish(key(`many:${n}`, "greedy"), draft({}), KEEP);
        const { recovered, top } = await it.recover(before);
        expect([recovered, top]).toEqual([true, { offset: 3, epoch: before.epoch }]);
      });

      test("P3: a tenant that keeps much history loses its own", async () => {
        await using it = await bench({ historyMaxBytes: 20_000 });
        const before = await it.publish(3);
        const big = draft({ dataJson: `"${"x".repeat(1_000)}"` });
        for (let n = 0; n < 100; n++)
          await it.broker.publish(key(`many:${n % 7}`, "greedy"), big, KEEP);
        expect((await it.recover({ ...before, offset: 0 })).recovered).toBe(true);
      });

      test("an unused channel's position is forgotten after its time, a used one's is not", async () => {
        await using it = await bench({ streamIdleMs: 60_000 });
        const none = { ...KEEP, size: 0 };
        await it.broker.subscribe({ key: key("used:1") });
        const used = await it.broker.publish(key("used:1"), draft({}), none);
        const unused = await it.publish(1, none);
        it.clock.advance(59_000);
        expect((await it.broker.top(LOBBY)).epoch).toBe(unused.epoch);
        it.clock.advance(20_000);
        expect((await it.broker.top(LOBBY)).epoch).not.toBe(unused.epoch);
        expect((await it.broker.top(key("used:1"))).epoch).toBe(used.epoch);
      });

      test("history expires by its own time only, however long nobody asks", async () => {
        await using it = await bench({ streamIdleMs: 60_000 });
        const before = await it.publish(2);
        it.clock.advance(KEEP.ttlMs - 1);
        const recovery = await it.recover({ ...before, offset: 0 });
        expect([recovery.recovered, recovery.publications.length]).toEqual([true, 2]);
      });
    });

    describe("[BR10] [HT2] reads go by the options in force, not by those of the last publish", () => {
      test.each<[string, Partial<HistoryOptions>, number[]]>([
        ["turned off", { size: 0 }, []],
        ["fewer", { size: 3 }, [8, 9, 10]],
        ["fewer bytes", { maxBytes: 1 }, []],
        ["a shorter time", { ttlMs: 1_000 }, [9, 10]],
        ["no time", { ttlMs: 0 }, []],
        ["more of everything", { size: 200, ttlMs: HOUR_MS }, [3, 4, 5, 6, 7, 8, 9, 10]],
      ])("%s", async (_, change, offsets) => {
        await using it = await bench();
        const history = { ...KEEP, ...change };
        await it.publish(8, { ...KEEP, size: 8 });
        it.clock.advance(1_000);
        const { epoch } = await it.publish(2, { ...KEEP, size: 8 });
        const since = { offset: 10 - offsets.length, epoch };
        const rest = await it.recover(since, history);
        expect([rest.recovered, offsetsOf(rest.publications)]).toEqual([true, offsets]);
        const lost = await it.recover({ ...since, offset: since.offset - 1 }, history);
        expect(lost).toMatchObject({ recovered: false, publications: [], top: { offset: 10 } });
        const page = await it.page({}, history);
        expect([offsetsOf(page.publications), page.more]).toEqual([offsets, false]);
      });

      test("what a shorter history let go of does not come back with a longer one", async () => {
        await using it = await bench();
        await it.publish(5);
        await it.page({}, { ...KEEP, size: 2 });
        expect(offsetsOf((await it.page()).publications)).toEqual([4, 5]);
      });
    });

    test("[BR9] closing leaves no timer behind", async () => {
      const it = await bench();
      await it.publish(1);
      await it.broker.close();
      expect(it.clock.pending).toBe(0);
    });
  });
}

const ALL: HistoryQuery = { limit: 500, before: undefined, after: undefined };

/** What is delivered over a line may come late; how else it goes wrong is said by the test. */
export type DeliveryFault = "lost" | "repeated";

/** A broker behind lines: nothing is answered in the turn of the call, and nothing is delivered in that of its publish. */
export type RemoteBroker = Broker & {
  /** Requests that have not arrived, answers that have not come back, and deliveries that are on their way. */
  readonly underWay: number;
  /** Moves one of them; `choice` picks which line goes on. Each line keeps its order, as a connection does. */
  step(choice: number): void;
  /** What happens to the next delivery that is to arrive; it is the first of its line. False: there is none. */
  spoil(fault: DeliveryFault): boolean;
  /** The line of deliveries breaks, with all that is on it; until it is `mend`ed nothing is delivered. */
  cut(): void;
  /** It is there again, with the interest as before; what happened meanwhile is not delivered. */
  mend(): void;
  /** The far end has forgotten everything: all channels have new epochs. Interest is as before. */
  forget(): void;
  /** While true, requests that arrive are answered by {@link BrokerUnavailable} and do nothing. */
  away: boolean;
  /** How often a channel or prefix is subscribed to at the far end. */
  interest(interest: Interest): number;
};

type Line = { readonly requests: (() => void)[]; readonly answers: (() => void)[] };

/** `over`: it has arrived, or never will. */
type Delivery = { readonly arrive: () => void; over: () => void };

/**
 * `open` opens the far end, again when it has forgotten everything. Commands, interest and deliveries go over a line each, as brokers
 * over a network have it; a publication is delivered only to whoever has interest at the moment that it happens. The answer to a publish that is delivered here waits
 * for that.
 */
export function createRemoteBroker(
  open: (deliver: Deliver) => Broker,
  deliver: Deliver,
): RemoteBroker {
  const interests = new Map<string, number>();
  const deliveries: Delivery[] = [];
  const state = { away: false, cut: false };
  let far = openFar();
  const commands: Line = { requests: [], answers: [] };
  const interestLine: Line = { requests: [], answers: [] };

  function openFar(): Broker {
    return open((to, publication, epoch) => {
      const wanted = [...interests].some(
        ([id, count]) =>
          count > 0 && (id === `=${to}` || (id[0] === "^" && to.startsWith(id.slice(1)))),
      );
      if (!wanted || state.cut) return;
      deliveries.push({ arrive: () => deliver(to, publication, epoch), over: () => {} });
    });
  }

  function ask<T>(line: Line, run: () => Awaitable<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      line.requests.push(() => {
        if (state.away) {
          line.answers.push(() => reject(new BrokerUnavailable("away")));
          return;
        }
        const before = deliveries.length;
        const answer = run();
        const come = () => void line.answers.push(() => resolve(answer));
        const own = deliveries[before];
        if (own === undefined) come();
        else own.over = come;
      });
    });
  }

  function arrive(): void {
    const next = deliveries.shift();
    next?.arrive();
    next?.over();
  }

  function count(interest: Interest, difference: 1 | -1): void {
    const id = interestId(interest);
    interests.set(id, (interests.get(id) ?? 0) + difference);
  }

  return {
    publish: (to, what, history) => ask(commands, () => far.publish(to, what, history)),
    history: (of, query, options) => ask(commands, () => far.history(of, query, options)),
    recover: (of, since, options) => ask(commands, () => far.recover(of, since, options)),
    top: (of) => ask(commands, () => far.top(of)),
    tops: (all) => ask(commands, () => far.tops(all)),
    subscribe: (interest) =>
      ask(interestLine, () => {
        count(interest, 1);
        return far.subscribe(interest);
      }),
    unsubscribe(interest) {
      interestLine.requests.push(() => {
        count(interest, -1);
        far.unsubscribe(interest);
      });
    },
    signal: (to, feature, body) => far.signal(to, feature, body),
    close: () => far.close(),
    get underWay() {
      return [commands, interestLine].reduce(
        (sum, { requests, answers }) => sum + requests.length + answers.length,
        deliveries.length,
      );
    },
    step(choice) {
      const { requests, answers } = commands;
      const lines = [requests, answers, interestLine.requests, interestLine.answers];
      const waiting = lines.filter((line) => line.length > 0);
      const line = choice % (waiting.length + Math.sign(deliveries.length));
      if (line === waiting.length) arrive();
      else waiting[line]?.shift()?.();
    },
    spoil(fault) {
      const [next] = deliveries;
      if (next === undefined) return false;
      if (fault === "repeated") deliveries.unshift({ arrive: next.arrive, over: () => {} });
      else deliveries.shift()?.over();
      return true;
    },
    cut() {
      state.cut = true;
      for (const lost of deliveries.splice(0)) lost.over();
    },
    mend() {
      state.cut = false;
    },
    forget() {
      const former = far;
      far = openFar();
      for (const [id, times] of interests) {
        const interest =
          id[0] === "=" ? { key: id.slice(1) as ChannelKey } : { prefix: id.slice(1) };
        for (let time = 0; time < times; time++) void far.subscribe(interest);
      }
      void former.close();
    },
    get away() {
      return state.away;
    },
    set away(away) {
      state.away = away;
    },
    interest: (interest) => interests.get(interestId(interest)) ?? 0,
  };
}

function interestId(interest: Interest): string {
  return "key" in interest ? `=${interest.key}` : `^${interest.prefix}`;
}

/** Lets everything that is ready in this process run: promises, and what waits for the end of the turn. */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** Has a remote broker go on by itself, in an order that `seed` decides. */
export function selfDriven(broker: RemoteBroker, seed: number): Broker {
  const random = createSeededRandom(seed);
  let driving = false;
  async function drive(): Promise<void> {
    driving = true;
    while (broker.underWay > 0) {
      await nextTurn();
      broker.step(random.between(0, 4));
    }
    driving = false;
  }
  function driven<T>(answer: T): T {
    if (!driving) drive().catch(expect.unreachable);
    return answer;
  }
  return {
    publish: (to, what, history) => driven(broker.publish(to, what, history)),
    history: (of, query, options) => driven(broker.history(of, query, options)),
    recover: (of, since, options) => driven(broker.recover(of, since, options)),
    top: (of) => driven(broker.top(of)),
    tops: (all) => driven(broker.tops(all)),
    subscribe: (interest) => driven(broker.subscribe(interest)),
    unsubscribe: (interest) => driven(broker.unsubscribe(interest)),
    signal: (to, feature, body) => broker.signal(to, feature, body),
    close: () => broker.close(),
  };
}
