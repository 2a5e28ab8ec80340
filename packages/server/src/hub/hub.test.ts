import { describe, expect, test } from "bun:test";
import { createFakeClock, createSeededRandom } from "@aldis/testkit";
import fc from "fast-check";
import {
  BROKER_LIMITS,
  createRemoteBroker,
  draft,
  KEEP,
  key,
  nextTurn,
} from "../broker/broker.contract.ts";
import type { Publication } from "../broker/broker.ts";
import { MemoryBroker } from "../broker/memory-broker.ts";
import { BrokerUnavailable } from "../broker-unavailable.ts";
import { type Frame, frameOf } from "./frame.ts";
import type { Hub } from "./hub.ts";
import { type Subscriber, Subscription } from "./subscription.ts";
import { emptyBroker, openLoneHub } from "./test/lone-hub.ts";

class Listener implements Subscriber {
  readonly connectionId: string;
  readonly userId: string | undefined;
  lastDelivery = 0;
  readonly got: string[] = [];

  constructor(connectionId: string, userId = connectionId) {
    this.connectionId = connectionId;
    this.userId = userId;
  }

  deliver(frame: Frame): void {
    this.got.push(frame.text);
  }
}

function open() {
  const interest: string[] = [];
  const hub = openLoneHub(
    emptyBroker({
      subscribe: (what) => void interest.push(`+${"key" in what ? what.key : `${what.prefix}*`}`),
      unsubscribe: (what) => void interest.push(`-${"key" in what ? what.key : `${what.prefix}*`}`),
    }),
  );
  const offsets = new Map<string, number>();

  function join(channel: string, listener: Listener): Subscription {
    const joining = hub.startJoining(key(channel));
    if (joining instanceof Promise) throw new Error("answers at once here");
    const subscription = new Subscription(listener, draft({ channel }).channel);
    hub.join(joining, subscription, { offset: offsets.get(channel) ?? 0, epoch: "e" });
    return subscription;
  }

  function joinPattern(prefix: string, listener: Listener): Subscription {
    const subscription = new Subscription(listener, draft({ channel: prefix }).channel);
    expect(hub.joinPattern(`default/${prefix}`, subscription)).toBeUndefined();
    return subscription;
  }

  function publish(channel: string, exclude?: string, of?: string): void {
    const offset = (offsets.get(channel) ?? 0) + 1;
    offsets.set(channel, offset);
    hub.deliver(key(channel, of), publication(channel, offset, exclude), "e");
  }
  return { hub, interest, join, joinPattern, publish };
}

function publication(channel: string, offset: number, exclude?: string): Publication {
  return {
    channel: draft({ channel }).channel,
    offset,
    key: undefined,
    json: JSON.stringify({ channel, offset }),
    exclude,
  };
}

const message = (channel: string, offset: number) =>
  `{"action":"message","data":{"channel":"${channel}","offset":${offset}}}`;

describe("Hub", () => {
  test("[PB6] everyone subscribed gets the same frame, and nobody else", () => {
    const { join, publish } = open();
    const [ann, bob, eve] = [new Listener("c1"), new Listener("c2"), new Listener("c3")];
    join("chat:a", ann);
    join("chat:a", bob);
    join("chat:b", eve);
    publish("chat:a");
    expect([ann.got, bob.got, eve.got]).toEqual([
      [message("chat:a", 1)],
      [message("chat:a", 1)],
      [],
    ]);
  });

  test("P2: the same name in another tenant is another channel", () => {
    const { join, joinPattern, publish } = open();
    const ann = new Listener("c1");
    join("chat:a", ann);
    joinPattern("chat:", ann);
    publish("chat:a", undefined, "acme");
    publish("chat:a", undefined, "default2");
    expect(ann.got).toEqual([]);
  });

  test("[PB4] the excluded connection gets nothing, by whichever subscription", () => {
    const { join, joinPattern, publish } = open();
    const [ann, bob] = [new Listener("c1"), new Listener("c2")];
    for (const one of [ann, bob]) {
      join("chat:a", one);
      joinPattern("chat:", one);
    }
    publish("chat:a", "c1");
    publish("chat:b", "c1");
    expect([ann.got, bob.got]).toEqual([[], [message("chat:a", 1), message("chat:b", 1)]]);
  });

  test("interest at the broker is there from the first to the last subscriber", () => {
    const { hub, interest, join } = open();
    const subscriptions = ["c1", "c2"].map((id) => join("chat:a", new Listener(id)));
    for (const subscription of subscriptions) {
      expect(interest).toEqual(["+default/chat:a"]);
      hub.leave(subscription);
      hub.leave(subscription);
    }
    expect([interest, hub.channelCount]).toEqual([["+default/chat:a", "-default/chat:a"], 0]);
  });

  test("who leaves leaves the others as they were", () => {
    const { hub, join, publish } = open();
    const listeners = ["c1", "c2", "c3", "c4"].map((id) => new Listener(id));
    const subscriptions = listeners.map((listener) => join("chat:a", listener));
    for (const index of [0, 2]) hub.leave(subscriptions[index] ?? expect.unreachable());
    publish("chat:a");
    expect(listeners.map(({ got }) => got.length)).toEqual([0, 1, 0, 1]);
    for (const index of [3, 1]) hub.leave(subscriptions[index] ?? expect.unreachable());
    publish("chat:a");
    expect(listeners.map(({ got }) => got.length)).toEqual([0, 1, 0, 1]);
  });

  test("what comes while somebody joins is given to them, older than their position left out", () => {
    const { hub, publish } = open();
    const joining = hub.startJoining(key("chat:a"));
    if (joining instanceof Promise) throw new Error("answers at once here");
    for (let n = 0; n < 4; n++) publish("chat:a");
    const ann = new Listener("c1");
    const subscription = new Subscription(ann, draft({ channel: "chat:a" }).channel);
    const missed = hub.join(joining, subscription, { offset: 2, epoch: "e" });
    publish("chat:a");
    expect(missed).toMatchObject([{ offset: 3 }, { offset: 4 }]);
    expect(ann.got).toEqual([message("chat:a", 5)]);
    expect(subscription.channel?.top).toBe(5);
  });

  test("pushes go to a channel's subscribers, or to all but one user's", () => {
    const { hub, join } = open();
    const [ann, tab, bob] = [
      new Listener("c1", "ann"),
      new Listener("c2", "ann"),
      new Listener("c3", "bob"),
    ];
    for (const one of [ann, tab, bob]) join("chat:a", one);
    hub.push(key("chat:a"), frameOf("1"));
    hub.push(key("chat:a"), frameOf("2"), { exceptUser: "ann" });
    hub.push(key("chat:a", "acme"), frameOf("3"));
    hub.push(key("chat:b"), frameOf("4"));
    expect([ann.got, tab.got, bob.got]).toEqual([["1"], ["1"], ["1", "2"]]);
  });

  test("[SU6] any set of channels and patterns gives one copy each of what any of them matches", () => {
    const names = ["o:a", "o:ab", "o:abc", "o:b", "p:a"];
    const prefixes = ["o:", "o:a", "o:ab", "p:", "p:b"];
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(2), fc.constantFrom(...names)), { maxLength: 8 }),
        fc.array(fc.tuple(fc.nat(2), fc.constantFrom(...prefixes)), { maxLength: 8 }),
        fc.array(fc.tuple(fc.constantFrom(...names), fc.option(fc.nat(2))), { maxLength: 20 }),
        (exact, patterns, published) => {
          const { hub, join, joinPattern, publish } = open();
          const listeners = [0, 1, 2].map((n) => new Listener(`c${n}`));
          const of = (n: number) => listeners[n] ?? expect.unreachable();
          const joins = [...new Map(exact.map((one) => [one.join(), one])).values()];
          for (const [n, name] of joins) join(name, of(n));
          for (const [n, prefix] of patterns) joinPattern(prefix, of(n));
          const wants = (n: number, name: string) =>
            joins.some(([m, exactly]) => m === n && exactly === name) ||
            patterns.some(([m, prefix]) => m === n && name.startsWith(prefix));
          const offsets = published.map(
            ([name], i) => published.slice(0, i + 1).filter(([other]) => other === name).length,
          );
          for (const [name, exclude] of published)
            publish(name, exclude === null ? undefined : `c${exclude}`);
          const expected = listeners.map((_, n) =>
            published.flatMap(([name, exclude], i) =>
              n !== exclude && wants(n, name) ? [message(name, offsets[i] ?? 0)] : [],
            ),
          );
          expect(listeners.map(({ got }) => got)).toEqual(expected);
          expect(hub.channelCount).toBe(new Set(exact.map(([, name]) => name)).size);
        },
      ),
      { numRuns: 300 },
    );
  });

  test("patterns that are left match nothing any more", () => {
    const { hub, interest, joinPattern, publish } = open();
    const [ann, bob] = [new Listener("c1"), new Listener("c2")];
    const first = joinPattern("o:a", ann);
    joinPattern("o:a", bob);
    hub.leavePattern("default/o:a", first);
    publish("o:a");
    expect([ann.got.length, bob.got.length]).toEqual([0, 1]);
    expect(interest).toEqual(["+default/o:a*", "+default/o:a*", "-default/o:a*"]);
  });
});

describe("P5 Hub: a broker that is away", () => {
  function remote() {
    const clock = createFakeClock();
    const broker = createRemoteBroker(
      (deliver) =>
        new MemoryBroker({ clock, random: createSeededRandom(1), deliver }, BROKER_LIMITS),
      (to, what, epoch) => hub.deliver(to, what, epoch),
    );
    const hub: Hub = openLoneHub(broker, clock);
    const settle = async () => {
      await nextTurn();
      while (broker.underWay > 0) {
        broker.step(0);
        await nextTurn();
      }
    };
    return { broker, hub, settle };
  }

  test("all who join meanwhile are refused, and nothing of them stays", async () => {
    const { broker, hub, settle } = remote();
    broker.away = true;
    const joins = Promise.allSettled([1, 2].map(() => hub.startJoining(key("chat:a"))));
    await settle();
    expect((await joins).map(({ status }) => status)).toEqual(["rejected", "rejected"]);
    expect(hub.channelCount).toBe(0);
  });

  test("afterwards joining works again, and publications come", async () => {
    const { broker, hub, settle } = remote();
    broker.away = true;
    const refused = Promise.allSettled([hub.startJoining(key("chat:a"))]);
    await settle();
    await refused;
    broker.away = false;
    const started = Promise.resolve(hub.startJoining(key("chat:a")));
    await settle();
    const ann = new Listener("c1");
    const subscription = new Subscription(ann, draft({ channel: "chat:a" }).channel);
    const top = Promise.resolve(broker.top(key("chat:a")));
    await settle();
    hub.join(await started, subscription, await top);
    const published = Promise.resolve(broker.publish(key("chat:a"), draft({}), KEEP));
    await settle();
    await published;
    expect(ann.got.length).toBe(1);
  });

  test("a broker that throws at once leaves no channel that only looks joined", () => {
    let away = true;
    const calls: string[] = [];
    const broker = emptyBroker({
      subscribe() {
        if (away) throw new BrokerUnavailable("away");
        calls.push("subscribe");
      },
    });
    const hub = openLoneHub(broker);
    expect(() => hub.startJoining(key("chat:a"))).toThrow(BrokerUnavailable);
    expect(hub.channelCount).toBe(0);
    away = false;
    expect(hub.startJoining(key("chat:a"))).not.toBeInstanceOf(Promise);
    expect(calls).toEqual(["subscribe"]);
  });

  test("a pattern that the broker refuses is not half there", async () => {
    const { broker, hub, settle } = remote();
    broker.away = true;
    const ann = new Listener("c1");
    const subscription = new Subscription(ann, draft({ channel: "o:" }).channel);
    const joined = Promise.allSettled([hub.joinPattern("default/o:", subscription)]);
    await settle();
    expect((await joined)[0]?.status).toBe("rejected");
    hub.deliver(key("o:1"), publication("o:1", 1), "e");
    expect(ann.got).toEqual([]);
  });
});
