import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { tenant } from "../broker/broker.contract.ts";
import { LiveSessions } from "./live-sessions.ts";
import { type TestClient, World } from "./test/world.ts";

const [A, B] = [tenant("a"), tenant("b")];

async function people() {
  const world = new World();
  const annA = await world.connect({ sub: "ann", tenant: "a" });
  const annA2 = await world.connect({ sub: "ann", tenant: "a" });
  const annB = await world.connect({ sub: "ann", tenant: "b" });
  const { live } = world.deps;
  const of = (name: typeof A, user: string) => [...live.byUser(name, user)];
  return { live, of, annA, annA2, annB };
}

describe("LiveSessions", () => {
  test("P2: a user of another tenant is another user", async () => {
    const { of, annA, annA2, annB } = await people();
    expect(of(A, "ann")).toEqual([annA.session, annA2.session]);
    expect(of(B, "ann")).toEqual([annB.session]);
    expect(of(tenant("default"), "ann")).toEqual([]);
  });

  test("P2: another tenant's connection is not there", async () => {
    const { live, annA, annB } = await people();
    expect(live.byConnection(A, annA.connectionId)).toBe(annA.session);
    expect(live.byConnection(B, annA.connectionId)).toBeUndefined();
    expect(live.byConnection(A, annB.connectionId)).toBeUndefined();
    expect(live.byConnection(A, "nobody")).toBeUndefined();
  });

  test("P2: no user id reaches into another tenant", async () => {
    const world = new World();
    await world.connect({ sub: "ann", tenant: "a" });
    const { live } = world.deps;
    for (const user of ["a/ann", "../a/ann", "/ann", "b/../a/ann"])
      expect([...live.byUser(B, user)]).toEqual([]);
    const odd = await world.connect({ sub: "b/ann", tenant: "a" });
    expect([...live.byUser(A, "b/ann")]).toEqual([odd.session]);
    expect([...live.byUser(B, "ann")]).toEqual([]);
  });

  test("[SE3] a resumed session is found by its own id, and not by that of its new connection", async () => {
    const world = new World();
    const ann = await world.connect({ sub: "ann" });
    const { id } = ann.session;
    expect(world.deps.live.bySession(id)).toBe(ann.session);
    const back = await world.resume(ann);
    expect(back.session.id).toBe(id);
    expect(world.deps.live.bySession(id)).toBe(back.session);
    expect(world.deps.live.bySession(back.connectionId)).toBeUndefined();
    back.break();
    expect(world.deps.live.bySession(id)).toBeUndefined();
  });

  test("who goes is gone from everywhere, and leaves the others", async () => {
    const { live, of, annA, annA2, annB } = await people();
    annA.break();
    expect(of(A, "ann")).toEqual([annA2.session]);
    expect(live.bySession(annA.session.id)).toBeUndefined();
    expect(live.byConnection(A, annA.connectionId)).toBeUndefined();
    annA2.break();
    annB.break();
    expect([of(A, "ann"), of(B, "ann"), live.size, [...live.all()]]).toEqual([[], [], 0, []]);
  });

  test("[SE7] a session's id belongs to its latest connection", async () => {
    const world = new World();
    const ann = await world.connect();
    const back = await world.resume(ann);
    await back.settle();
    expect(world.deps.live.bySession(back.session.id)).toBe(back.session);
    expect(world.deps.live.size).toBe(1);
  });

  test("any coming and going: the counts are those of a plain list", async () => {
    const world = new World();
    const clients: TestClient[] = [];
    for (let n = 0; n < 9; n++)
      clients.push(await world.connect({ sub: `u${n % 3}`, tenant: n % 2 ? "a" : "b" }));
    const of = (list: Iterable<TestClient>, name: typeof A, user: string) =>
      new Set(
        [...list]
          .map(({ session }) => session)
          .filter(({ identity }) => identity.tenant === name && identity.userId === user),
      );
    fc.assert(
      fc.property(fc.array(fc.nat(8), { maxLength: 60 }), (steps) => {
        const live = new LiveSessions();
        const there = new Set<TestClient>();
        for (const n of steps) {
          const client = clients[n] ?? expect.unreachable();
          if (there.delete(client)) live.remove(client.session);
          else {
            there.add(client);
            live.add(client.session);
          }
        }
        expect(live.size).toBe(there.size);
        for (const name of [A, B]) {
          for (const user of ["u0", "u1", "u2"])
            expect(new Set(live.byUser(name, user))).toEqual(of(there, name, user));
        }
      }),
    );
  });
});
