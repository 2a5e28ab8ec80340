import { describe, expect, test } from "bun:test";
import { parseCapabilities } from "../auth/capabilities.ts";
import type { Identity } from "../auth/identity.ts";
import { draft, tenant } from "../broker/broker.contract.ts";
import { namespaceSchema } from "../config/namespace-schema.ts";
import { Namespaces } from "./namespaces.ts";
import { permits } from "./permissions.ts";

const RIGHTS = ["subscribe", "publish", "history", "presence"] as const;

function identity(kind: "token" | "anonymous", capabilities: unknown = {}): Identity {
  const parsed = parseCapabilities(capabilities, "ann");
  if (!parsed.ok) throw new Error(parsed.message);
  return {
    tenant: tenant("default"),
    userId: kind === "token" ? "ann" : "anon:1",
    name: undefined,
    email: undefined,
    avatar: undefined,
    anonymous: kind === "anonymous",
    capabilities: parsed.value,
    expiresAtMs: undefined,
  };
}

function namespace(allow: Partial<Record<(typeof RIGHTS)[number], string[]>>) {
  const options = namespaceSchema.parse({ allow });
  return new Namespaces({ n: options }, namespaceSchema.parse({})).find(tenant("default"), "n");
}

const channel = draft({ channel: "n:ann" }).channel;

describe("permits", () => {
  const user = identity("token");
  const holder = identity("token", { "n:*": RIGHTS });
  const anonymous = identity("anonymous");

  // Who asks: a user, one who is subscribed, one with the capability, an anonymous one, and that one subscribed.
  test.each<[string[], boolean[]]>([
    [[], [false, false, true, false, false]],
    [["anonymous"], [true, true, true, true, true]],
    [["user"], [true, true, true, false, false]],
    [["subscriber"], [false, true, true, false, true]],
    [["n:{userId}"], [true, true, true, false, false]],
    [["other:{userId}"], [false, false, true, false, false]],
    [
      ["subscriber", "user"],
      [true, true, true, false, true],
    ],
  ])("by the rules %j", (rules, expected) => {
    for (const right of RIGHTS) {
      const rulesOf = namespace({ [right]: rules });
      const ask = (who: Identity, subscribed: boolean) =>
        permits({ identity: who, namespace: rulesOf, subscribed }, right, channel);
      expect([
        ask(user, false),
        ask(user, true),
        ask(holder, false),
        ask(anonymous, false),
        ask(anonymous, true),
      ]).toEqual(expected);
    }
  });

  test("a rule for one right gives no other", () => {
    for (const right of RIGHTS) {
      const rules = namespace({ [right]: ["anonymous"] });
      const allowed = RIGHTS.filter((asked) =>
        permits({ identity: user, namespace: rules, subscribed: true }, asked, channel),
      );
      expect(allowed).toEqual([right]);
    }
  });

  test("a capability gives the rights and channels that it names", () => {
    const some = identity("token", { "n:ann": ["publish"], "n:b*": ["history"] });
    const allowed = (name: string) =>
      RIGHTS.filter((right) =>
        permits(
          { identity: some, namespace: namespace({}), subscribed: false },
          right,
          draft({ channel: name }).channel,
        ),
      );
    expect(["n:ann", "n:anna", "n:bob", "n:b", "n:"].map(allowed)).toEqual([
      ["publish"],
      [],
      ["history"],
      ["history"],
      [],
    ]);
  });
});
