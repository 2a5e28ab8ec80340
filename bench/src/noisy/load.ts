/** What the noisy tenant has open at one gateway; whoever is closed comes back at once. */
import { type Connection, openConnection } from "../generator/connection.ts";
import { DIALECTS } from "../generator/dialects.ts";
import { encodeText } from "../generator/frames.ts";
import {
  type AnswerSink,
  HTTP_CLOSED,
  type HttpConnection,
  openHttp,
} from "../generator/http-connection.ts";
import { payloadOf } from "../generator/payload.ts";
import { mintToken, SOAK_KEYS } from "../token.ts";
import type { NoisyAnswer } from "./wire.ts";

const CHANNEL = "bench:noisy";
const TENANT = "one";
const REFUSAL = Buffer.from('{"action":"error"');

export class Load implements AnswerSink {
  readonly #port: number;
  readonly #frame: Uint8Array;
  readonly #request: Uint8Array;
  readonly #sockets: Connection[] = [];
  readonly #open = new Set<HttpConnection>();
  readonly #idle: HttpConnection[] = [];
  #turn = 0;
  #tally: NoisyAnswer = { sent: 0, refused: 0, accepted: 0, closed: 0 };

  constructor(port: number, payloadBytes: number) {
    this.#port = port;
    const payload = payloadOf(0, payloadBytes);
    this.#frame = encodeText(DIALECTS.aldis.publish(1, CHANNEL, payload));
    const body = JSON.stringify({ channel: CHANNEL, data: JSON.parse(payload) });
    this.#request = Buffer.from(
      `POST /api/publish HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer ${SOAK_KEYS[TENANT]}\r\n` +
        `Content-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
    );
  }

  async openSockets(count: number): Promise<void> {
    await Promise.all(Array.from({ length: count }, (_, index) => this.#connect(index)));
  }

  /** So many HTTP connections: none while they are not used, as the gateway would close them and they come back. */
  async fitHttp(count: number): Promise<void> {
    for (const connection of [...this.#open].slice(count)) {
      this.#open.delete(connection);
      connection.close();
    }
    if (count === 0) this.#idle.length = 0;
    while (this.#open.size < count) await this.#openOne();
  }

  /** False: all that may be on its way is. */
  sendByHttp(nowMs: number): boolean {
    const connection = this.#idle.shift();
    if (connection === undefined) return false;
    connection.send(this.#request, nowMs);
    this.#tally.sent++;
    return true;
  }

  sendByWebSocket(): boolean {
    this.#sockets[this.#turn++ % this.#sockets.length]?.write(this.#frame);
    this.#tally.sent++;
    return true;
  }

  takeTally(): NoisyAnswer {
    const tally = this.#tally;
    this.#tally = { sent: 0, refused: 0, accepted: 0, closed: 0 };
    return tally;
  }

  onAnswer(connection: HttpConnection): void {
    this.#tally.accepted++;
    this.#rest(connection);
  }

  onFailed(cause: string, connection?: HttpConnection): void {
    if (connection === undefined) throw new Error(cause);
    if (cause === HTTP_CLOSED) return this.#replace(connection);
    if (!cause.startsWith("HTTP/1.1 429")) throw new Error(cause);
    this.#tally.refused++;
    this.#rest(connection);
  }

  #rest(connection: HttpConnection): void {
    if (this.#open.has(connection)) this.#idle.push(connection);
  }

  #replace(connection: HttpConnection): void {
    if (!this.#open.delete(connection)) return;
    const at = this.#idle.indexOf(connection);
    if (at >= 0) this.#idle.splice(at, 1);
    void this.#openOne();
  }

  async #openOne(): Promise<void> {
    const opened = await openHttp(this.#port, this);
    this.#open.add(opened);
    this.#idle.push(opened);
  }

  async #connect(index: number): Promise<void> {
    const token = mintToken(`noisy-${index}`, { tenant: TENANT });
    const each = await openConnection({ port: this.#port, dialect: DIALECTS.aldis, token });
    this.#sockets[index] = each;
    each.receive(
      {
        onText: (text) => {
          if (REFUSAL.compare(text, 0, REFUSAL.length) === 0) this.#tally.refused++;
          else this.#tally.accepted++;
        },
        onClosed: () => {
          this.#tally.closed++;
          void this.#connect(index);
        },
      },
      { wholeFrames: true },
    );
  }
}
