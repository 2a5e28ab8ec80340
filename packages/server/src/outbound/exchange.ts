// One request and its answer, over node:http.
import { type ClientRequest, type IncomingMessage, request as requestHttp } from "node:http";
import { request as requestHttps } from "node:https";
import { isIP, type LookupFunction } from "node:net";
import type { Clock } from "../time/clock.ts";
import type { Connections } from "./connections.ts";
import type { OutboundOutcome, OutboundRequest } from "./outbound.ts";
import type { Target } from "./target.ts";

/** What of an answer nobody reads is let pass, and for how long, so that its connection can be kept. */
const PASSED_MAX_BYTES = 64 * 1024;
const PASSED_MAX_MS = 1_000;

type Failed = Extract<OutboundOutcome, { kind: "failed" }>;

/** A request whose target was checked, and the addresses that its connection may be made to. */
export type Exchange = {
  readonly clock: Clock;
  readonly request: OutboundRequest;
  readonly target: Target;
  readonly addresses: readonly string[];
  readonly connections: Connections;
  /** Called once. */
  settle(outcome: OutboundOutcome): void;
  /** The connection is free, or gone. Called once, not before `settle`. */
  done(): void;
};

/** Sends, and returns what cuts it short. Throws when the headers are none that can be sent. */
export function exchange(parts: Exchange): (why: "timeout" | "aborted") => void {
  const { request, target, addresses, connections } = parts;
  const { method, headers, body, answerMaxBytes } = request;
  const outgoing = open(target, connections, {
    method,
    path: target.path,
    headers: { ...headers, "Content-Length": Buffer.byteLength(body) },
    lookup: lookupOf(addresses),
  });
  const progress = new Progress(outgoing, target);
  let settled = false;
  /** Nobody reads the rest of it. */
  let known: OutboundOutcome | undefined;
  const settle = (outcome: OutboundOutcome) => {
    if (settled) return;
    settled = true;
    parts.settle(outcome);
  };
  const fail = (why: Failed["why"]) => {
    settle(known ?? { kind: "failed", why, sent: progress.sent });
    outgoing.destroy();
  };
  outgoing.on("error", () => fail(progress.whyFailed));
  outgoing.once("close", () => {
    // Whatever else there was has settled it before.
    settle(known ?? { kind: "failed", why: "cut", sent: progress.sent });
    parts.done();
  });
  outgoing.on("response", (response) => {
    response.on("error", () => fail("cut"));
    response.on("aborted", () => fail("cut"));
    if (answerMaxBytes > 0) return read(response, answerMaxBytes, { settle, fail });
    known = answered(response, Buffer.alloc(0));
    passBy(response, parts.clock);
  });
  outgoing.end(body);
  return fail;
}

type Options = {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string | number>>;
  readonly lookup: LookupFunction;
};

function open({ secure, name, port }: Target, { plain, secure: tls }: Connections, how: Options) {
  const options = { ...how, host: name, port, setDefaultHeaders: true };
  return secure
    ? requestHttps({ ...options, agent: tls })
    : requestHttp({ ...options, agent: plain });
}

/** Answers with the addresses that were checked, whatever the name means by now (DNS rebinding). */
function lookupOf(addresses: readonly string[]): LookupFunction {
  const all = addresses.map((address) => ({ address, family: isIP(address) }));
  return (_name, options, answer) => {
    const [first] = all;
    if (options.all || first === undefined) answer(null, all);
    else answer(null, first.address, first.family);
  };
}

/** How far a request has come. */
class Progress {
  /** Whether any of it may have left: there was a connection, by TLS one that had shown its certificate. */
  sent = false;
  #connected = false;
  readonly #secure: boolean;

  constructor(outgoing: ClientRequest, { secure }: Target) {
    this.#secure = secure;
    outgoing.once("socket", (socket) => {
      if (outgoing.reusedSocket) {
        this.#connected = true;
        this.sent = true;
        return;
      }
      socket.once("connect", () => {
        this.#connected = true;
        if (!secure) this.sent = true;
      });
      socket.once("secureConnect", () => {
        this.sent = true;
      });
    });
  }

  get whyFailed(): "connect" | "tls" | "cut" {
    if (!this.#connected) return "connect";
    return this.#secure && !this.sent ? "tls" : "cut";
  }
}

type Ends = {
  settle(outcome: OutboundOutcome): void;
  fail(why: Failed["why"]): void;
};

function read(response: IncomingMessage, maxBytes: number, { settle, fail }: Ends): void {
  const chunks: Buffer[] = [];
  let bytes = 0;
  response.on("data", (chunk: Buffer) => {
    bytes += chunk.byteLength;
    if (bytes > maxBytes) fail("too_large");
    else chunks.push(chunk);
  });
  response.on("end", () => {
    if (response.complete) settle(answered(response, Buffer.concat(chunks, bytes)));
    else fail("cut");
  });
}

/**
 * Such an answer is told when its connection is free, or was cut. Attack: a receiver that says 200 at once, and the rest a byte a second: it is sent the next one, and has all
 * connections that there are, though its sender has one request under way at a time.
 */
function passBy(response: IncomingMessage, clock: Clock): void {
  const timer = clock.setTimer(PASSED_MAX_MS, () => response.destroy());
  response.once("close", () => timer.cancel());
  let bytes = 0;
  response.on("data", (chunk: Buffer) => {
    bytes += chunk.byteLength;
    if (bytes > PASSED_MAX_BYTES) response.destroy();
  });
}

function answered({ statusCode, headers }: IncomingMessage, body: Uint8Array): OutboundOutcome {
  const flat: Record<string, string> = Object.create(null);
  for (const [name, value] of Object.entries(headers)) {
    if (value !== undefined) flat[name] = typeof value === "string" ? value : value.join(", ");
  }
  return { kind: "answered", status: statusCode ?? 0, headers: flat, body };
}
