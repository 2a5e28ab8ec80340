import { describe, expect, test } from "bun:test";
import { FieldError, type Fields, pushFrame, type Refusal } from "@aldis/protocol";
import { createFakeClock } from "@aldis/testkit";
import { NO_CAPABILITIES } from "../auth/capabilities.ts";
import { draft, key, tenant } from "../broker/broker.contract.ts";
import { type Frame, frameOf } from "../hub/frame.ts";
import type { Hub } from "../hub/hub.ts";
import { Signals } from "../hub/signals.ts";
import { type Subscriber, Subscription } from "../hub/subscription.ts";
import { openLoneHub } from "../hub/test/lone-hub.ts";
import { createTyping, readTyping, type Speaker, type Typing, type TypingDeps } from "./typing.ts";

type Push = { readonly action: string; readonly data: Readonly<Record<string, unknown>> };

/** A session that is subscribed to `chat:a`, as far as a feature may see it. */
class Person implements Speaker, Subscriber {
  readonly connectionId: string;
  readonly userId: string;
  readonly identity: Speaker["identity"];
  lastDelivery = 0;
  subscribed = true;
  allowed = true;
  readonly got: Push[] = [];
  readonly answers: (object | Refusal)[] = [];

  constructor(userId: string, connectionId: string, of = "default") {
    this.userId = userId;
    this.connectionId = connectionId;
    this.identity = {
      tenant: tenant(of),
      userId,
      name: userId.toUpperCase(),
      email: `${userId}@example.com`,
      avatar: undefined,
      anonymous: false,
      capabilities: NO_CAPABILITIES,
      expiresAtMs: undefined,
    };
  }

  deliver(frame: Frame): void {
    this.got.push(JSON.parse(frame.text) as Push);
  }
  isSubscribed = () => this.subscribed;
  may = () => this.allowed;

  /** Who is said to type, as `ann+` and `ann-`. */
  get seen(): string[] {
    return this.got.map(({ data }) => {
      const { id } = data["user"] as { id: string };
      return `${id}${data["typing"] ? "+" : "-"}`;
    });
  }
}

/** As a command of theirs is answered. */
function act(typing: Typing, who: Person, data: Fields): void {
  try {
    who.answers.push(typing.onAction(who, readTyping(data)));
  } catch (error) {
    if (!(error instanceof FieldError)) throw error;
    who.answers.push(error.refusal);
  }
}

/** Channels as a plugin has them. */
function channelsOf(hub: Hub, signals: Signals): TypingDeps["channels"] {
  return {
    may: () => true,
    publish: () => Promise.reject(new Error("nothing is published")),
    push: (to, action, data, except) =>
      hub.push(to, frameOf(pushFrame(action, data)), except && { exceptUser: except.userId }),
    subscriberCount: (of) => hub.subscriberCount(of),
    subscribers: () => [],
    signal: (to, body) => signals.send(to, "typing", body),
    onSignal: (take) => signals.on("typing", take),
  };
}

type Options = { readonly expiryMs?: number; readonly minIntervalMs?: number };

/** Nodes that hear each other's signals, each with its own subscribers. */
function cluster(nodes: number, more: Options = {}) {
  const clock = createFakeClock();
  const alive = new Set<Signals>();
  const all = Array.from({ length: nodes }, (_, n) => {
    const hub = openLoneHub();
    const signals: Signals = new Signals({
      signal(to, feature, body) {
        if (!alive.has(signals)) return;
        for (const other of alive) other.deliver(to, feature, body);
      },
    });
    alive.add(signals);
    const config = { expiryMs: 5_000, minIntervalMs: 1_000, ...more };
    const channels = channelsOf(hub, signals);
    const typing = createTyping({ clock, config, channels, nodes: { self: `n${n}` } });

    function person(userId: string, connectionId = `c-${userId}`, of = "default"): Person {
      const one = new Person(userId, connectionId, of);
      const joining = hub.startJoining(key("chat:a", of));
      if (joining instanceof Promise) throw new Error("answers at once here");
      const { channel } = draft({ channel: "chat:a" });
      hub.join(joining, new Subscription(one, channel), { offset: 0, epoch: "e" });
      return one;
    }
    const type = (who: Person, yes: boolean, channel = "chat:a") =>
      act(typing, who, { channel, typing: yes });
    const die = () => void alive.delete(signals);
    return { clock, typing, signals, person, type, die };
  });
  return all as [Node, Node];

  type Node = (typeof all)[0];
}

function open(more: Options = {}) {
  return cluster(1, more)[0];
}

describe("typing", () => {
  test("[TY1] the other users see who types, and no more of them than others may", () => {
    const { person, type } = open();
    const [ann, tab, bob] = [person("ann"), person("ann", "c-ann-2"), person("bob")];
    type(ann, true);
    expect(bob.got).toEqual([
      {
        action: "typing",
        data: { channel: "chat:a", user: { id: "ann", name: "ANN" }, typing: true },
      },
    ]);
    expect([ann.got, tab.got, ann.answers]).toEqual([[], [], [{ channel: "chat:a" }]]);
  });

  test("P2: nobody of another tenant sees it", () => {
    const { person, type } = open();
    const [ann, eve] = [person("ann"), person("eve", "c-eve", "acme")];
    type(ann, true);
    type(eve, true);
    expect([ann.got, eve.got]).toEqual([[], []]);
  });

  test("[TY2] it ends by `typing: false`, once", () => {
    const { clock, person, type } = open();
    const [ann, bob] = [person("ann"), person("bob")];
    type(ann, false);
    type(ann, true);
    type(ann, false);
    type(ann, false);
    clock.advance(60_000);
    expect(bob.seen).toEqual(["ann+", "ann-"]);
    expect(ann.answers.length).toBe(4);
    expect(clock.pending).toBe(0);
  });

  test("[TY2] it ends by itself, to the millisecond; repeating says nothing new and holds on", () => {
    const { clock, person, type } = open();
    const [ann, bob] = [person("ann"), person("bob")];
    type(ann, true);
    clock.advance(4_000);
    type(ann, true);
    clock.advance(4_999);
    expect(bob.seen).toEqual(["ann+"]);
    clock.advance(1);
    expect(bob.seen).toEqual(["ann+", "ann-"]);
    type(ann, true);
    expect(bob.seen).toEqual(["ann+", "ann-", "ann+"]);
  });

  test("[TY2] somebody who types in two tabs is one who types, until neither does", () => {
    const { person, type } = open();
    const [tab, other, bob] = [person("ann"), person("ann", "c-ann-2"), person("bob")];
    type(tab, true);
    type(other, true);
    type(tab, false);
    expect(bob.seen).toEqual(["ann+"]);
    type(other, false);
    expect(bob.seen).toEqual(["ann+", "ann-"]);
  });

  test("[TY2] it ends by leaving, and not again later", () => {
    const { clock, typing, person, type } = open();
    const [ann, bob] = [person("ann"), person("bob")];
    type(ann, true);
    typing.onLeave(ann, draft({ channel: "chat:b" }).channel);
    expect(bob.seen).toEqual(["ann+"]);
    typing.onLeave(ann, draft({ channel: "chat:a" }).channel);
    typing.onLeave(ann, draft({ channel: "chat:a" }).channel);
    clock.advance(60_000);
    expect(bob.seen).toEqual(["ann+", "ann-"]);
  });

  test("[TY2] of one user two starts are told in a second; what holds at its end is told then", () => {
    const { clock, person, type } = open();
    const [ann, bob] = [person("ann"), person("bob")];
    const toggle = (times: number) => {
      for (let n = 0; n < times; n++) for (const yes of [true, false]) type(ann, yes);
    };
    const heard = () => bob.got.splice(0).map(({ data }) => data["typing"]);
    toggle(1_000);
    expect(heard()).toEqual([true, false, true, false]);
    clock.advance(500);
    type(ann, true);
    clock.advance(499);
    expect(heard()).toEqual([]);
    clock.advance(1);
    expect(heard()).toEqual([true]);
    type(ann, false);
    toggle(1_000);
    expect(heard()).toEqual([false, true, false]);
    clock.advance(1_000);
    expect([heard(), clock.pending]).toEqual([[], 0]);
  });

  test("[TY2] leaving and coming back gives no more starts than that", () => {
    const { clock, typing, person, type } = open();
    const [ann, bob] = [person("ann"), person("bob")];
    for (let n = 0; n < 100; n++) {
      type(ann, true);
      typing.onLeave(ann, draft({ channel: "chat:a" }).channel);
    }
    expect(bob.seen).toEqual(["ann+", "ann-", "ann+", "ann-"]);
    clock.advance(60_000);
    expect([bob.seen.length, clock.pending]).toEqual([4, 0]);
  });

  test("[TY2] a start that was not told yet ends by itself without a word", () => {
    const { clock, person, type } = open({ expiryMs: 400 });
    const [ann, bob] = [person("ann"), person("bob")];
    for (let n = 0; n < 3; n++) for (const yes of [false, true]) type(ann, yes);
    expect(bob.seen.splice(0)).toEqual(["ann+", "ann-", "ann+", "ann-"]);
    clock.advance(60_000);
    expect([bob.seen.length, clock.pending]).toEqual([4, 0]);
  });

  test("[TY2] without a least interval every start is told", () => {
    const { person, type } = open({ minIntervalMs: 0 });
    const [ann, bob] = [person("ann"), person("bob")];
    for (let n = 0; n < 5; n++) for (const yes of [true, false]) type(ann, yes);
    expect(bob.got.length).toBe(10);
  });

  test("two who type are two", () => {
    const { clock, person, type } = open();
    const [ann, bob, eve] = [person("ann"), person("bob"), person("eve")];
    type(ann, true);
    clock.advance(1_000);
    type(bob, true);
    clock.advance(4_000);
    expect([ann.seen, bob.seen, eve.seen]).toEqual([
      ["bob+"],
      ["ann+", "ann-"],
      ["ann+", "bob+", "ann-"],
    ]);
  });

  test("faults 13: the wall clock ends and lengthens nothing", () => {
    const { clock, person, type } = open();
    const [ann, bob] = [person("ann"), person("bob")];
    type(ann, true);
    clock.setWallClock(clock.nowMs() + 3_600_000);
    clock.advance(4_999);
    clock.setWallClock(clock.nowMs() - 7_200_000);
    expect(bob.seen).toEqual(["ann+"]);
    clock.advance(1);
    expect(bob.seen).toEqual(["ann+", "ann-"]);
  });

  test("[TY1] only a subscriber, who may publish", () => {
    const { person, type } = open();
    const [ann, bob] = [person("ann"), person("bob")];
    ann.allowed = false;
    type(ann, true);
    ann.subscribed = false;
    type(ann, true);
    expect(ann.answers).toMatchObject([{ error: "forbidden" }, { error: "not_subscribed" }]);
    expect(bob.got).toEqual([]);
  });

  test.each([
    {},
    { channel: "chat:a" },
    { channel: "chat:a", typing: "yes" },
    { channel: "chat:a", typing: 1 },
    { channel: "chat:a", typing: null },
    { channel: "chat:*", typing: true },
    { channel: 7, typing: true },
    { typing: true },
  ])("%j is refused as a field", (data) => {
    const { typing, person } = open();
    const ann = person("ann");
    expect(() => typing.onAction(ann, readTyping(data))).toThrow(FieldError);
    expect(ann.answers).toEqual([]);
  });

  test("after a close nothing ends any more", () => {
    const { clock, typing, person, type } = open();
    const [ann, bob] = [person("ann"), person("bob")];
    type(ann, true);
    typing.close();
    clock.advance(60_000);
    expect([bob.seen, clock.pending]).toEqual([["ann+"], 0]);
  });
});

describe("typing over two nodes", () => {
  test("[TY3] the others see it on all nodes, the user's own tabs on none; nobody of another tenant", () => {
    const [one, two] = cluster(2);
    const [ann, bob] = [one.person("ann"), one.person("bob")];
    const [tab, eve] = [two.person("ann", "c-ann-2"), two.person("eve")];
    const stranger = two.person("eve", "c-eve-2", "acme");
    one.type(ann, true);
    one.type(ann, false);
    expect([bob.seen, eve.seen]).toEqual([
      ["ann+", "ann-"],
      ["ann+", "ann-"],
    ]);
    expect(eve.got[0]?.data).toEqual({
      channel: "chat:a",
      user: { id: "ann", name: "ANN" },
      typing: true,
    });
    expect([ann.got, tab.got, stranger.got]).toEqual([[], [], []]);
  });

  test("[TY3] somebody who types in tabs on two nodes is one who types, until neither does", () => {
    const [one, two] = cluster(2);
    const [ann, tab, bob] = [one.person("ann"), two.person("ann", "c-ann-2"), two.person("bob")];
    one.type(ann, true);
    two.type(tab, true);
    one.type(ann, false);
    expect(bob.seen).toEqual(["ann+"]);
    two.type(tab, false);
    expect(bob.seen).toEqual(["ann+", "ann-"]);
  });

  test("[TY3] who types on is not taken for silent by other nodes, and nobody is told twice", () => {
    const [one, two] = cluster(2);
    const [ann, bob] = [one.person("ann"), two.person("bob")];
    for (let n = 0; n < 10; n++) {
      one.type(ann, true);
      one.clock.advance(4_900);
    }
    expect(bob.seen).toEqual(["ann+"]);
    one.clock.advance(100);
    expect(bob.seen).toEqual(["ann+", "ann-"]);
    one.clock.advance(60_000);
    expect([bob.seen.length, one.clock.pending]).toEqual([2, 0]);
  });

  test("[TY3] faults 1: what a node that has died told ends by itself", () => {
    const [one, two] = cluster(2);
    const [ann, bob] = [one.person("ann"), two.person("bob")];
    one.type(ann, true);
    one.clock.advance(1_000);
    one.die();
    one.clock.advance(6_499);
    expect(bob.seen).toEqual(["ann+"]);
    one.clock.advance(1);
    expect(bob.seen).toEqual(["ann+", "ann-"]);
  });

  test("[TY2] [TY3] two starts in a second, however many nodes a user types on", () => {
    const [one, two] = cluster(2);
    const [ann, tab, bob] = [one.person("ann"), two.person("ann", "c-ann-2"), two.person("bob")];
    for (let n = 0; n < 2; n++) {
      for (const yes of [true, false]) one.type(ann, yes);
      for (const yes of [true, false]) two.type(tab, yes);
    }
    expect(bob.seen).toEqual(["ann+", "ann-", "ann+", "ann-"]);
  });

  test("faults 36: signals that this version cannot read are passed over", () => {
    const [one] = cluster(1);
    const bob = one.person("bob");
    const user = { id: "ann" };
    for (const body of [
      "{",
      "7",
      JSON.stringify({ v: 2, node: "n", user, typing: true }),
      JSON.stringify({ v: 1, node: "n", user: "ann", typing: true }),
      JSON.stringify({ v: 1, node: 7, user, typing: true }),
      JSON.stringify({ v: 1, node: "n", user: { id: 7 }, typing: true }),
      JSON.stringify({ v: 1, node: "n", user }),
    ]) {
      one.signals.deliver(key("chat:a"), "typing", body);
    }
    expect(bob.got).toEqual([]);
    const known = { v: 1, node: "n", user: { ...user, mood: "good" }, typing: true, more: 1 };
    one.signals.deliver(key("chat:a"), "typing", JSON.stringify(known));
    expect(bob.got.map(({ data }) => data["user"])).toEqual([user]);
  });
});
