import { describe, expect, test } from "bun:test";
import { tenant } from "../broker/broker.contract.ts";
import { type NamespaceInput, namespaceSchema } from "../config/namespace-schema.ts";
import { Namespaces } from "./namespaces.ts";

const [A, B] = [tenant("a"), tenant("b")];
const options = (input: NamespaceInput) => namespaceSchema.parse(input);
const withLimit = (messageMaxBytes: number) => options({ messageMaxBytes });

function open(configured: Record<string, NamespaceInput> = {}) {
  const parsed = Object.entries(configured).map(([name, input]) => [name, options(input)]);
  const namespaces = new Namespaces(Object.fromEntries(parsed), withLimit(1));
  const limit = (of: typeof A, name: string) => namespaces.find(of, name).options.messageMaxBytes;
  return { namespaces, limit };
}

describe("Namespaces", () => {
  test("[CN1] a name that is not configured, and a channel without one, follow `default`", () => {
    const { limit } = open({ default: { messageMaxBytes: 10 }, chat: { messageMaxBytes: 20 } });
    expect(["chat", "other", "", "default", "Chat"].map((name) => limit(A, name))).toEqual([
      20, 10, 10, 10, 10,
    ]);
  });

  test("without a `default` the schema's own options hold", () => {
    const { limit } = open({ chat: { messageMaxBytes: 20 } });
    expect(["chat", "other", ""].map((name) => limit(A, name))).toEqual([20, 1, 1]);
  });

  test.each(["__proto__", "constructor", "toString", "hasOwnProperty"])(
    "faults 25: the name %p is a name like others",
    (name) => {
      const { namespaces, limit } = open({ default: { messageMaxBytes: 10 } });
      expect(limit(A, name)).toBe(10);
      namespaces.change(A, name, withLimit(5));
      expect([limit(A, name), limit(A, "other"), limit(B, name)]).toEqual([5, 10, 10]);
    },
  );

  test("[HT2] P2: a change holds at once, for its tenant alone", () => {
    const { namespaces, limit } = open({ chat: { messageMaxBytes: 20 } });
    expect(namespaces.change(A, "chat", withLimit(30))).toBe(true);
    namespaces.change(A, "new", withLimit(40));
    expect([limit(A, "chat"), limit(A, "new")]).toEqual([30, 40]);
    expect([limit(B, "chat"), limit(B, "new")]).toEqual([20, 1]);
  });

  test("[HT2] a changed `default` holds for what is not configured", () => {
    const { namespaces, limit } = open({ chat: { messageMaxBytes: 20 } });
    namespaces.change(A, "default", withLimit(30));
    expect(["chat", "other", "", "default"].map((name) => limit(A, name))).toEqual([
      20, 30, 30, 30,
    ]);
    expect(limit(B, "other")).toBe(1);
  });

  test("[HT2] reset returns to what is configured", () => {
    const { namespaces, limit } = open({ chat: { messageMaxBytes: 20 } });
    namespaces.change(A, "chat", withLimit(30));
    namespaces.change(B, "chat", withLimit(40));
    expect([namespaces.reset(A, "chat"), namespaces.reset(A, "chat")]).toEqual([true, false]);
    expect(namespaces.reset(A, "never")).toBe(false);
    expect([limit(A, "chat"), limit(B, "chat")]).toEqual([20, 40]);
  });

  test("[HT2] P2: the list is the tenant's own", () => {
    const { namespaces } = open({ chat: {} });
    namespaces.change(A, "zoo", withLimit(30));
    const names = (of: typeof A) => namespaces.list(of).map(({ name }) => name);
    expect(names(A)).toEqual(["chat", "default", "zoo"]);
    expect(names(B)).toEqual(["chat", "default"]);
  });

  test("P3: a tenant changes at most a thousand, and may change those again", () => {
    const { namespaces, limit } = open();
    for (let n = 0; n < 1_000; n++) expect(namespaces.change(A, `n${n}`, withLimit(2))).toBe(true);
    expect(namespaces.change(A, "more", withLimit(2))).toBe(false);
    expect(limit(A, "more")).toBe(1);
    expect(namespaces.change(A, "n7", withLimit(3))).toBe(true);
    expect(namespaces.change(B, "more", withLimit(2))).toBe(true);
    namespaces.reset(A, "n8");
    expect(namespaces.change(A, "more", withLimit(2))).toBe(true);
  });

  describe("[AU8] whether anonymous users are let in", () => {
    test.each(["subscribe", "publish", "history", "presence"])("by the right to %s", (right) => {
      const allow = { [right]: ["user", "anonymous"] };
      expect(open({ chat: { allow } }).namespaces.anyAllowsAnonymous).toBe(true);
    });

    test("no other rule does it", () => {
      const allow = { subscribe: ["user", "subscriber", "user:{userId}"] };
      expect(open({ chat: { allow } }).namespaces.anyAllowsAnonymous).toBe(false);
      expect(open().namespaces.anyAllowsAnonymous).toBe(false);
    });

    test("changes and resets count, in the tenant that anonymous users are of", () => {
      const { namespaces } = open();
      const home = tenant("default");
      namespaces.change(home, "chat", options({ allow: { subscribe: ["anonymous"] } }));
      expect(namespaces.anyAllowsAnonymous).toBe(true);
      namespaces.reset(home, "chat");
      expect(namespaces.anyAllowsAnonymous).toBe(false);
    });

    test("P2: what another tenant changes lets nobody in here", () => {
      const { namespaces } = open();
      namespaces.change(A, "chat", options({ allow: { subscribe: ["anonymous"] } }));
      expect(namespaces.anyAllowsAnonymous).toBe(false);
    });
  });
});
