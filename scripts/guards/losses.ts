import type { Guard } from "./guard.ts";

const SERVER = "packages/server/src";
const RANDOM = `${SERVER}/session/lossy-broker.property.test.ts`;
const MOMENTS = `${SERVER}/session/lossy-broker.test.ts`;

/** Brokers that lose, repeat, delay and forget. */
export const LOSS_GUARDS: readonly Guard[] = [
  {
    faults: [7, 35],
    breaks: "whatever a broker delivers is handed on",
    file: `${SERVER}/hub/hub.ts`,
    find: "} else if (publication.offset === channel.next && epoch === channel.epoch) {",
    replace: "} else if (channel.isPlaced) {",
    test: RANDOM,
    named: "P1: whatever gets lost",
    giveUpMs: 30_000,
  },
  {
    faults: [6],
    breaks: "a new epoch is not told",
    file: `${SERVER}/hub/hub.ts`,
    find: "if (!hasIt) subscription.startAnew(position, frame);",
    replace: "if (hasIt) subscription.startAnew(position, frame);",
    test: MOMENTS,
    named: "[CH4] in a channel without history a loss is told",
  },
  {
    faults: [5],
    breaks: "whoever has subscribed anew is told that restoring failed",
    file: `${SERVER}/session/tell-ended.ts`,
    find: 'if (live) tellEnded(session, channel, "unavailable");',
    replace: 'tellEnded(session, channel, "unavailable");',
    test: MOMENTS,
    named: "[SU7] whoever has subscribed anew",
  },
  {
    faults: [7],
    breaks: "positions are not compared when topics are heard again",
    file: `${SERVER}/hub/hub.ts`,
    find: "    this.#check.checkAll(concerned);",
    replace: "    if (concerned === undefined) return;\n    this.#check.checkAll(concerned);",
    test: MOMENTS,
    named: "what nothing follows is found",
  },
  {
    faults: [7],
    breaks: "who joins ahead of its node gets again what it has",
    file: `${SERVER}/hub/hub.ts`,
    find: "if (offset <= channel.aheadUntil) fanOutBehind(subscriptions, frame, exclude);",
    replace: "if (offset < 0) fanOutBehind(subscriptions, frame, exclude);",
    test: RANDOM,
    named: "P1: whatever gets lost",
    giveUpMs: 30_000,
  },
  {
    faults: [35],
    breaks: "what waits behind a gap is not bounded",
    file: `${SERVER}/hub/held-publications.ts`,
    find: "if (this.#all.bytes + bytes > this.#all.maxBytes) return false;",
    replace: "if (this.#all.bytes < 0) return false;",
    test: MOMENTS,
    named: "P3: what finds no room to wait",
  },
  {
    faults: [7],
    breaks: "behind a gap a publish is answered before its own push",
    file: `${SERVER}/channel/publisher.ts`,
    find: "return mapReady(hub.whenHanded(key, outcome), () => outcome);",
    replace:
      "return mapReady(hub === undefined ? undefined : key, () => outcome) as typeof outcome;",
    test: MOMENTS,
    named: "[PB1] behind a gap",
  },
  {
    faults: [5, 8],
    breaks: "a channel whose position could not be had is passed over",
    file: `${SERVER}/hub/position-check.ts`,
    find: "      for (const key of missing) hurried.missing.add(key);\n",
    replace: "",
    test: `${SERVER}/hub/position-check.test.ts`,
    named: "asked for again, soon",
  },
];
