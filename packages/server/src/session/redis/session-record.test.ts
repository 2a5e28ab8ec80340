import { describe, expect, test } from "bun:test";
import { parseChannelName, parseChannelPattern } from "@aldis/protocol";
import fc from "fast-check";
import { parseCapabilities } from "../../auth/capabilities.ts";
import { tenant } from "../../broker/broker.contract.ts";
import type { ParkedSession } from "../parking.ts";
import { parked } from "../session-store.contract.ts";
import { bearerText, RECORD_MAX_LENGTH, readRecord, writeRecord } from "./session-record.ts";

const names = fc
  .constantFrom("a", "chat:lobby", "orders:eu-1", "x:y:z", "orders:*", "chat:room-*")
  .map((name) => {
    const made = name.endsWith("*") ? parseChannelPattern(name) : parseChannelName(name);
    if (!made.ok) throw new Error(made.message);
    return made.value;
  });

const texts = fc.option(fc.string({ unit: "binary" }), { nil: undefined });

const sessions: fc.Arbitrary<ParkedSession> = fc.record({
  identity: fc.record({
    tenant: fc.constantFrom(tenant("default"), tenant("acme")),
    userId: fc.string({ unit: "binary", minLength: 1 }),
    name: texts,
    email: texts,
    avatar: texts,
    anonymous: fc.boolean(),
    capabilities: fc
      .dictionary(fc.constantFrom("a", "chat:*", "__proto__", "*"), fc.constantFrom("*", "send"))
      .map((claim) => {
        const made = parseCapabilities(claim, "ann");
        if (!made.ok) throw new Error(made.message);
        return made.value;
      }),
    expiresAtMs: fc.option(fc.nat(), { nil: undefined }),
  }),
  subscriptions: fc.array(
    fc.record({
      name: names,
      place: fc.oneof(
        fc.constantFrom("lost" as const, undefined),
        fc.record({ offset: fc.nat(), epoch: fc.string({ unit: "binary" }) }),
      ),
      slow: fc.constantFrom("close", "drop-oldest", "latest", "catch-up", undefined),
    }),
    { maxLength: 20 },
  ),
  turn: fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }),
  granted: fc.option(
    fc.array(names).map((all) => new Set<string>(all)),
    { nil: undefined },
  ),
});

describe("records of sessions", () => {
  test("[SE1] what was written is read as it was", () => {
    fc.assert(
      fc.property(sessions, fc.constantFrom("l" as const, "p" as const), (session, state) => {
        const text = writeRecord("node-1", state, session);
        expect(readRecord(text ?? "")).toEqual(session);
        const [version, owner, written, expiry, bearer] = text?.split("\n") ?? [];
        expect([version, owner, written]).toEqual(["1", "node-1", state]);
        expect([expiry, bearer]).toEqual([
          String(session.identity.expiresAtMs ?? ""),
          bearerText(session.identity),
        ]);
      }),
    );
  });

  test("[AU9] of whom a new token is wanted nobody has without one, as scripts see it", () => {
    const wanted = { ...parked("ann"), tokenWanted: true as const };
    const text = writeRecord("node-1", "p", wanted) ?? "";
    expect(text.split("\n")[3]).toBe("0");
    expect(readRecord(text)?.tokenWanted).toBe(true);
  });

  test("faults 36: what is cut, changed or of another version is no session, and never throws", () => {
    const text = writeRecord("node-1", "p", parked("ann")) ?? "";
    fc.assert(
      fc.property(fc.nat(text.length - 1), fc.string({ unit: "binary" }), (at, put) => {
        const cut = readRecord(text.slice(0, at));
        expect(cut).toBeUndefined();
        readRecord(text.slice(0, at) + put + text.slice(at + put.length));
      }),
    );
    expect(readRecord(text.replace(/^1/, "2"))).toBeUndefined();
    for (const [from, to] of [
      ['"s":[', '"s":[7,'],
      ['"chat:a"', '"bad name"'],
      ['"latest"', '"newest"'],
      ['"c":[', '"c":7,"d":['],
      ["[[],", "[[[1,2]],"],
    ] as const) {
      expect(text).toContain(from);
      expect(readRecord(text.replace(from, to))).toBeUndefined();
    }
  });

  test("fields that this version does not know are passed over", () => {
    const text = writeRecord("node-1", "p", parked("ann")) ?? "";
    expect(readRecord(text.replace('"s":', '"later":{"x":1},"s":'))).toEqual(parked("ann"));
  });

  test("P3: a session that would take too much room has no record", () => {
    const session = parked("ann");
    const name = "x".repeat(RECORD_MAX_LENGTH);
    const large = { ...session, identity: { ...session.identity, name } };
    expect(writeRecord("node-1", "p", large)).toBeUndefined();
  });
});
