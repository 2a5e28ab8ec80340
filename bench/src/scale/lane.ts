import { type Connection, openConnection } from "../generator/connection.ts";
import { DIALECTS } from "../generator/dialects.ts";
import { HTTP_CLOSED, type HttpConnection, openHttp } from "../generator/http-connection.ts";
import { BENCH_API_KEY, mintToken } from "../token.ts";
import { roomName } from "./town.ts";
import type { NodeAddress, ProbeKind } from "./wire.ts";

/**
 * Something happens at node `from`, and a watcher at node `to` is told of it: both ends are in this process, so that one
 * clock says how long it took. One thing at a time.
 */
export type LanePlan = { number: number; room: number; from: NodeAddress; to: NodeAddress };

/** After which a sample counts as lost. */
const SAMPLE_MAX_MS = 5000;
const decoder = new TextDecoder();

type Awaited = { marks: readonly string[]; resolve(delayMs: number): void; startedAtMs: number };

export class Lane {
  /** Offset of the last message that the watcher saw in the room. */
  top = 0;
  readonly refused: string[] = [];
  /** Settled when no request waits for its answer. */
  #answered = Promise.withResolvers<void>();
  readonly plan: LanePlan;
  readonly #watcher: Connection;
  readonly #joiner: Connection;
  #http: HttpConnection | undefined;
  #sequence = 0;
  #awaited: Awaited | undefined;

  private constructor(plan: LanePlan, watcher: Connection, joiner: Connection) {
    this.plan = plan;
    this.#watcher = watcher;
    this.#joiner = joiner;
  }

  static async open(plan: LanePlan): Promise<Lane> {
    const { number, room, from, to } = plan;
    const dialect = DIALECTS.aldis;
    const joiner = await openConnection({ ...from, dialect, token: mintToken(`joiner-${number}`) });
    const watcher = await openConnection({
      ...to,
      dialect,
      token: mintToken(`watcher-${number}`),
      channel: roomName(room),
    });
    const lane = new Lane(plan, watcher, joiner);
    lane.#listen();
    return lane;
  }

  /** How long it took, or what is known when it never came. */
  async sample(kind: ProbeKind): Promise<number | string> {
    const sequence = ++this.#sequence;
    this.#answered = Promise.withResolvers();
    if (kind === "send" || kind === "publish") await this.#keepHttpOpen();
    else this.#answered.resolve();
    const { promise, resolve } = Promise.withResolvers<number | undefined>();
    const watchdog = setTimeout(() => resolve(undefined), SAMPLE_MAX_MS);
    this.#awaited = {
      marks: this.#marksOf(kind, sequence),
      resolve,
      startedAtMs: performance.now(),
    };
    this.#cause(kind, sequence);
    const delayMs = await promise;
    clearTimeout(watchdog);
    this.#awaited = undefined;
    const { from, to, room } = this.plan;
    if (delayMs === undefined) {
      return `${kind} ${sequence} from ${from.host} to ${to.host}, room ${room} at ${this.top}`;
    }
    // The push may come before the answer, and a second request must not.
    await Promise.race([this.#answered.promise, Bun.sleep(SAMPLE_MAX_MS)]);
    return delayMs;
  }

  /** What a push holds that tells the watcher of it. */
  #marksOf(kind: ProbeKind, sequence: number): string[] {
    const { number, room } = this.plan;
    switch (kind) {
      case "join":
      case "leave":
        return ['{"action":"presence"', `"event":"${kind}"`, `"id":"joiner-${number}"`];
      case "send":
        return ['"direct":"user"', `"seq":${sequence},`];
      case "publish":
        return [`"channel":"${roomName(room)}"`, `"seq":${sequence},`];
    }
  }

  #cause(kind: ProbeKind, sequence: number): void {
    const channel = roomName(this.plan.room);
    const data = `{"seq":${sequence},"text":"twenty words or so of what people say to each other in a room"}`;
    if (kind === "join" || kind === "leave") {
      const action = kind === "join" ? "subscribe" : "unsubscribe";
      this.#joiner.send(`{"action":"${action}","id":${sequence},"data":{"channel":"${channel}"}}`);
    } else if (kind === "send") {
      this.#post(`/api/users/watcher-${this.plan.number}/send`, `{"data":${data}}`);
    } else {
      this.#post("/api/publish", `{"channel":"${channel}","data":${data}}`);
    }
  }

  #post(path: string, body: string): void {
    const { host, port } = this.plan.from;
    const request =
      `POST ${path} HTTP/1.1\r\nHost: ${host}:${port}\r\nAuthorization: Bearer ${BENCH_API_KEY}\r\n` +
      `Content-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
    this.#http?.send(Buffer.from(request), performance.now());
  }

  /** The gateway closes HTTP connections on which nothing was asked for a while. */
  async #keepHttpOpen(): Promise<void> {
    if (this.#http !== undefined) return;
    const { host, port } = this.plan.from;
    const onAnswer = () => this.#answered.resolve();
    const onFailed = (cause: string) => {
      if (cause === HTTP_CLOSED) this.#http = undefined;
      else this.refused.push(cause);
      onAnswer();
    };
    this.#http = await openHttp(port, { onAnswer, onFailed }, host);
  }

  #listen(): void {
    const onClosed = (cause: string) => {
      this.refused.push(`closed: ${cause}`);
    };
    this.#joiner.receive({ onClosed }, { wholeFrames: false });
    this.#watcher.receive(
      { onText: (payload) => this.#onText(decoder.decode(payload)), onClosed },
      { wholeFrames: true },
    );
  }

  #onText(text: string): void {
    if (text.startsWith('{"action":"message"')) {
      this.top = Number(/"offset":(\d+)/.exec(text)?.[1] ?? this.top);
    }
    const awaited = this.#awaited;
    if (awaited?.marks.every((mark) => text.includes(mark))) {
      awaited.resolve(performance.now() - awaited.startedAtMs);
    }
  }
}
