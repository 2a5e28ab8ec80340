import { expect, test } from "bun:test";
import { createFakeClock, eventually } from "@aldis/testkit";
import { Namespaces } from "../channel/namespaces.ts";
import type { BusHandler, NodeBus } from "../cluster/node-bus.ts";
import { namespaceSchema } from "../config/namespace-schema.ts";
import { DEFAULT_TENANT } from "../tenant/tenant.ts";
import { createNamespaceChanges } from "./namespace-changes.ts";

/** Nodes that hear each other while `isHeard`, and what all of them said. */
function openNodes(ids: readonly string[]) {
  const clock = createFakeClock();
  const air = { isHeard: true, asked: 0 };
  const handlers = new Map(ids.map((id) => [id, new Map<string, BusHandler>()]));
  const copy = (body: unknown) => JSON.parse(JSON.stringify(body));
  const busOf = (self: string): NodeBus => ({
    on: (kind, handler) => void handlers.get(self)?.set(kind, handler),
    send() {},
    broadcast(kind, body) {
      if (!air.isHeard) return;
      for (const id of ids) if (id !== self) void handlers.get(id)?.get(kind)?.(copy(body), self);
    },
    async request(node, kind, body) {
      air.asked++;
      if (!air.isHeard) return { ok: false, cause: "timeout" };
      return { ok: true, body: copy(await handlers.get(node)?.get(kind)?.(copy(body), self)) };
    },
    async close() {},
  });
  const nodes = ids.map((self) => {
    const namespaces = new Namespaces({}, namespaceSchema.parse({}));
    const others = ids.filter((id) => id !== self);
    const changes = createNamespaceChanges({
      ...{ namespaces, clock, bus: busOf(self), registry: { self, others, listen() {} } },
      parse: (value) => namespaceSchema.safeParse(value).data,
      onChange() {},
    });
    return {
      ...changes,
      sizeOf: (name: string) => namespaces.find(DEFAULT_TENANT, name).options.history.size,
    };
  });
  return { clock, air, nodes };
}

const BY = { key: "tests" };
const sized = (size: number) => namespaceSchema.parse({ history: { size } });

test("faults 9: a change that a node did not hear holds there too when it hears again", async () => {
  const { clock, air, nodes } = openNodes(["a", "b", "c"]);
  const [a, b] = nodes;
  air.isHeard = false;
  void a?.change({ tenant: DEFAULT_TENANT, name: "chat" }, sized(7), BY);
  void b?.change({ tenant: DEFAULT_TENANT, name: "chat" }, sized(8), BY);
  void b?.change({ tenant: DEFAULT_TENANT, name: "news" }, sized(9), BY);
  void a?.change({ tenant: DEFAULT_TENANT, name: "other" }, sized(1), BY);
  void a?.reset({ tenant: DEFAULT_TENANT, name: "other" }, BY);
  clock.advance(60_000);
  air.isHeard = true;
  await eventually("all to agree", () => {
    clock.advance(10_000);
    return nodes.every(({ sizeOf }) => sizeOf("chat") === 8 && sizeOf("news") === 9);
  });
  await eventually("nobody to ask any more", () => {
    const before = air.asked;
    clock.advance(10_000);
    return air.asked === before;
  });
  for (const node of nodes) node.close();
  expect(clock.pending).toBe(0);
});

test("nodes in which nothing was changed have nothing to say to each other", () => {
  const { clock, air } = openNodes(["a", "b"]);
  clock.advance(60_000);
  expect([clock.pending, air.asked]).toEqual([0, 0]);
});
