// People who connect, publish, break and go, over gateways that die; and what an endpoint was told of them.
import { eventually, RawClient, type SeededRandom } from "@aldis/testkit";

/** What the people know: what was answered to them, and nothing else. */
export type EventTally = {
  going: boolean;
  /** `epoch offset channel` of all that was acknowledged. */
  readonly acknowledged: Set<string>;
  /** Ids of all sessions that anybody had a `welcome` of. */
  readonly sessions: Set<string>;
  resumed: number;
};

export type EventCrowd = {
  readonly wsUrl: string;
  token(claims: Record<string, unknown>): Promise<string>;
};

/** A device: raw, so that it is the test that decides how a connection ends. */
export class EventPerson {
  readonly #tally: EventTally;
  readonly #crowd: EventCrowd;
  readonly #random: SeededRandom;
  readonly #name: string;
  #client: RawClient | undefined;
  #session: string | undefined;

  constructor(
    { tally, crowd, random }: { tally: EventTally; crowd: EventCrowd; random: SeededRandom },
    name: string,
  ) {
    this.#tally = tally;
    this.#crowd = crowd;
    this.#random = random;
    this.#name = name;
  }

  /** Until the tally stops: says something, again until it is acknowledged, and breaks or goes now and then. */
  async live(): Promise<void> {
    const channel = `room:${this.#random.between(1, 3)}`;
    for (let n = 0; this.#tally.going; n++) {
      await this.#publish({ channel, data: n, idempotencyKey: `${this.#name} ${n}` });
      const chance = this.#random.next();
      if (chance < 0.05) await this.goodbye();
      else if (chance < 0.1) this.#break();
      else if (chance < 0.12) this.leave();
    }
  }

  async goodbye(): Promise<void> {
    this.#session = undefined;
    await this.#client?.close(1000).catch(() => {});
    this.#client = undefined;
  }

  /** Is gone, and does not come back to this session. */
  leave(): void {
    this.#break();
    this.#session = undefined;
  }

  #break(): void {
    this.#client?.cut();
    this.#client = undefined;
  }

  async #publish(message: {
    readonly channel: string;
    readonly data: number;
    readonly idempotencyKey: string;
  }): Promise<void> {
    await eventually("it to be published", async () => {
      try {
        const client = await this.#connected();
        await client.must("subscribe", { channel: message.channel });
        const { epoch, offset } = await client.must("publish", message);
        this.#tally.acknowledged.add(`${epoch} ${offset} ${message.channel}`);
        return true;
      } catch {
        // The node has died, or the store is away: again, with the same key.
        this.#break();
        return !this.#tally.going;
      }
    });
  }

  async #connected(): Promise<RawClient> {
    if (this.#client !== undefined) return this.#client;
    const token = await this.#crowd.token({ sub: this.#name });
    const session = this.#session === undefined ? "" : `&session=${this.#session}`;
    const client = await RawClient.connect(`${this.#crowd.wsUrl}?token=${token}${session}`);
    const { welcome } = client;
    if (welcome.resumed) this.#tally.resumed++;
    this.#session = String(welcome.session);
    this.#tally.sessions.add(idOf(this.#session));
    this.#client = client;
    return client;
  }
}

/** A credential is the session's id and its secret. */
function idOf(credential: string): string {
  return credential.slice(0, credential.indexOf("."));
}

export type ToldEvent = {
  readonly id: string;
  readonly type: string;
  readonly data: Readonly<Record<string, unknown>>;
};

/** Types of each session, channel and member, in the order in which they were told. */
export function toldOf(events: readonly ToldEvent[], kind: string): Map<string, string[]> {
  const told = new Map<string, string[]>();
  for (const { type, data } of events) {
    if (!type.startsWith(`${kind}.`)) continue;
    const name = [data["session"], data["channel"], kind === "member" ? data["user"] : undefined]
      .filter((part) => part !== undefined)
      .join(" ");
    const types = told.get(name) ?? [];
    types.push(type.slice(kind.length + 1));
    told.set(name, types);
  }
  return told;
}

/** `epoch offset channel` of each publication that was told. */
export function publishedIn(events: readonly ToldEvent[]): string[] {
  return events
    .filter(({ type }) => type === "message.published")
    .map(({ data }) => `${data["epoch"]} ${data["offset"]} ${data["channel"]}`);
}
