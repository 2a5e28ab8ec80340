import type { Guard } from "./guard.ts";

const SERVER = "packages/server/src";
const SERVER_TESTS = "packages/server/test";

/** Clients that are slow, gone, back, or two at once. */
export const CLIENT_GUARDS: readonly Guard[] = [
  {
    faults: [15, 16],
    breaks: "what waits for a slow reader is not bounded",
    file: `${SERVER}/connection/outbox.ts`,
    find: "return waiting > 1 && this.#queuedBytes > this.#options.maxBytes + this.#grantedBytes;",
    replace: "return waiting > 1e9;",
    test: `${SERVER_TESTS}/slow-consumers.test.ts`,
    named: "[P3] one is closed with 4008",
  },
  {
    faults: [18],
    breaks: "a proof counts before its ping is answered",
    file: `${SERVER}/connection/connection.ts`,
    find: "    this.socket.ping(this.proof.begin(now));",
    replace: "    this.socket.ping(this.proof.begin(now));\n    this.session.provenDelivered();",
    test: `${SERVER_TESTS}/sessions.test.ts`,
    named: "[SE5] what no pong has proven to have come is sent again",
  },
  {
    faults: [20],
    breaks: "any secret opens a session",
    file: `${SERVER}/session/session-secrets.ts`,
    find: "return given.length === right.length && timingSafeEqual(given, right) ? sessionId : undefined;",
    replace: "return given.length >= 0 && timingSafeEqual(right, right) ? sessionId : undefined;",
    test: `${SERVER_TESTS}/sessions.test.ts`,
    named: "[SE6] unknown, ended, foreign and with a wrong secret",
  },
  {
    faults: [20],
    breaks: "a parked session lasts for ever",
    file: `${SERVER}/session/session-store.ts`,
    find: "if (parked === undefined || parked.untilMs <= clock.monotonicMs()) return undefined;",
    replace: "if (parked === undefined) return undefined;",
    test: `${SERVER}/session/session-store.test.ts`,
    named: "[SE1] is over after its time",
  },
  {
    faults: [20],
    breaks: "a session is given to whoever shows it, whoever they are",
    file: `${SERVER}/session/authenticate.ts`,
    find: "return owner.tenant === bearer.tenant && owner.userId === bearer.userId;",
    replace: "return true;",
    test: `${SERVER_TESTS}/sessions.test.ts`,
    named: "[SE6] who shows a session with another user's token",
  },
  {
    faults: [21],
    breaks: "answers to idempotency keys are not kept",
    file: `${SERVER}/broker/memory-broker.ts`,
    find: "    answers.set(answerKey, outcome);\n",
    replace: "",
    test: `${SERVER_TESTS}/publishing.test.ts`,
    named: "(faults 21)",
  },
  {
    faults: [22],
    breaks: "subscriptions are not counted",
    file: `${SERVER}/session/may-join.ts`,
    find: "if (isNew && held >= deps.options.subscriptionsMax) {",
    replace: "if (isNew && held < 0) {",
    test: `${SERVER_TESTS}/subscribing.test.ts`,
    named: "[SU8] at most limits.subscriptionsPerConnection",
  },
  {
    faults: [23],
    breaks: "the client does not look for sleep",
    file: "packages/client/src/liveness.ts",
    find: "if (silentMs >= this.#options.intervalMs || lateMs >= this.#options.intervalMs) this.probe();",
    replace: "if (silentMs >= this.#options.intervalMs && lateMs > -1e9) this.probe();",
    test: "packages/client/src/liveness.test.ts",
    named: "after sleep it asks at the next tick",
  },
  {
    faults: [23],
    breaks: "a deadline that fires late counts",
    file: "packages/client/src/liveness.ts",
    find: "if (lateMs > this.#options.timeoutMs / 2 && !probe.again) this.#ask({ again: true });",
    replace: "if (lateMs > 1e12 && !probe.again) this.#ask({ again: true });",
    test: "packages/client/src/liveness.test.ts",
    named: "a deadline that fires late proves nothing",
  },
];
