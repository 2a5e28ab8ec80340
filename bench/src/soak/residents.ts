import type { Fault, RawFrame } from "@aldis/testkit";
import { mintToken } from "../token.ts";
import { publishAs } from "./backend.ts";

/**
 * Connections that stay from the first minute to the last, so that what a connection gathers over time is seen. One
 * message a second comes to all of them; each must see every offset once, in order, to the last that was acknowledged.
 */
const RESIDENTS = 200;
const CHANNEL = "large:residents";
const PERIOD_MS = 1000;
const LIFETIME_S = 48 * 3600;

type Resident = { socket: WebSocket; offset: number; name: string };

export class Residents {
  delivered = 0;
  readonly #port: number;
  readonly #faults: Fault[] = [];
  readonly #residents: Resident[] = [];
  #acknowledged = 0;
  #publishing: Promise<void> = Promise.resolve();
  #timer: Timer | undefined;
  #next = 0;

  constructor(port: number) {
    this.#port = port;
  }

  async moveIn(): Promise<void> {
    await Promise.all(Array.from({ length: RESIDENTS }, (_, index) => this.#open(index)));
    this.goOn();
  }

  /** What was wrong since the last time; waits until nothing is on its way. */
  async inspect(): Promise<Fault[]> {
    clearInterval(this.#timer);
    await this.#publishing;
    await Promise.all(this.#residents.map(settle));
    for (const { name, offset } of this.#residents) {
      if (offset !== this.#acknowledged) {
        this.#complain(`${name} stands at ${offset}, ${this.#acknowledged} were acknowledged`);
      }
    }
    return this.#faults.splice(0);
  }

  /** After {@link inspect}. */
  goOn(): void {
    this.#timer = setInterval(() => {
      this.#publishing = this.#publishing
        .then(() => this.#publish())
        .catch((error: Error) => this.#complain(error.message));
      this.#refreshNext();
    }, PERIOD_MS);
  }

  #complain(detail: string): void {
    this.#faults.push({ kind: "lost", detail: `residents: ${detail}` });
  }

  #open(index: number): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const name = `resident-${index}`;
    const url = `ws://127.0.0.1:${this.#port}/ws?token=${tokenOf(name)}`;
    const resident: Resident = { socket: new WebSocket(url), offset: 0, name };
    this.#residents.push(resident);
    resident.socket.addEventListener("close", ({ code }) => {
      this.#complain(`${name} was closed with ${code}`);
      reject(new Error(`${name} was closed with ${code}`));
    });
    resident.socket.addEventListener("message", ({ data }) => {
      const frame = JSON.parse(String(data)) as RawFrame;
      if (frame.action === "welcome") send(resident, "subscribe", { channel: CHANNEL });
      else if (frame.action === "subscribe") resolve();
      else if (frame.action === "message") this.#onMessage(resident, frame.data.offset);
      else if (frame.action === "error") this.#complain(`${name}: ${String(data)}`);
    });
    return promise;
  }

  #onMessage(resident: Resident, offset: number): void {
    this.delivered++;
    if (offset !== resident.offset + 1) {
      this.#complain(`${resident.name}: ${offset} after ${resident.offset}`);
    }
    resident.offset = offset;
  }

  async #publish(): Promise<void> {
    const body = { channel: CHANNEL, data: { text: "x".repeat(100) } };
    this.#acknowledged = (await publishAs("one", this.#port, body)).offset;
  }

  /** One resident a second renews its token. */
  #refreshNext(): void {
    const resident = this.#residents[this.#next++ % this.#residents.length];
    if (resident !== undefined) send(resident, "refresh", { token: tokenOf(resident.name) });
  }
}

function tokenOf(name: string): string {
  return mintToken(name, { tenant: "one", lifetimeS: LIFETIME_S });
}

function send({ socket }: Resident, action: string, data: object): void {
  socket.send(JSON.stringify({ action, id: 1, data }));
}

/** Resolves when what was sent to the resident before has come. */
function settle(resident: Resident): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  function onMessage({ data }: MessageEvent): void {
    if (!String(data).startsWith('{"action":"pong"')) return;
    resident.socket.removeEventListener("message", onMessage);
    resolve();
  }
  resident.socket.addEventListener("message", onMessage);
  send(resident, "ping", {});
  return promise;
}
